# One job trains a block of cells. The cells are not outputs: they live in the cell store, from which a block takes
# those that are there, so a changed grid trains its new cells only. A job has one thread; more cores mean more jobs.


wildcard_constraints:
    block="|".join(PLAN.blocks),


rule train:
    input:
        ancient(PLAN.features / "features.json"),
    output:
        "work/blocks/{block}.json",
    log:
        "work/logs/blocks/{block}.log",
    benchmark:
        "work/benchmarks/blocks/{block}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml train --block {wildcards.block} --threads {threads} 2>&1 | tee {log:q}"
