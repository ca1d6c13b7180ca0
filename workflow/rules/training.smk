# One job trains a block of cells. The cells are not outputs: they live in the cell store, from which a block takes
# those that are there, so a changed grid trains its new cells only. A job has one thread; more cores mean more jobs.


rule train:
    input:
        lambda wildcards: ancient(ALL_BLOCKS[wildcards.block][0].features / "features.json"),
    output:
        "work/blocks/{block}.json",
    log:
        "work/logs/blocks/{block}.log",
    benchmark:
        "work/benchmarks/blocks/{block}.tsv"
    priority: lambda wildcards: len(ALL_BLOCKS[wildcards.block][1].cells)  # the longest first, so that all cores end together
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        gpu=lambda wildcards: int(ALL_BLOCKS[wildcards.block][0].params.device == "cuda"),
    shell:
        "python -m trml train --block {wildcards.block} --threads {threads} 2>&1 | tee -i {log:q}"
