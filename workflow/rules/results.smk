# From cells to scores and claims, to tables, figures and the page, to the published copy.


rule evaluate:
    input:
        ancient([block.path for block in PLAN.blocks.values()]),
        ancient(PLAN.corpus / "corpus.json"),
        ancient(PLAN.features / "features.json"),
    output:
        PLAN.evaluation / "claims.json",
    log:
        f"work/logs/evaluations/{PLAN.evaluation.name}.log",
    benchmark:
        f"work/benchmarks/evaluations/{PLAN.evaluation.name}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml evaluate 2>&1 | tee {log:q}"


rule report:
    input:
        ancient(PLAN.evaluation / "claims.json"),
        ancient(PLAN.corpus / "corpus.json"),
        ancient(PLAN.features / "features.json"),
    output:
        PLAN.results / "manifest.json",
    log:
        f"work/logs/results/{PLAN.results.name}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml report 2>&1 | tee {log:q}"


# results/ is not an output: Snakemake would delete it before it is known whether it needs to change.
rule publish:
    input:
        ancient(PLAN.results / "manifest.json"),
    output:
        touch(f"work/published/{PLAN.results.name}"),
    log:
        f"work/logs/published/{PLAN.results.name}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml publish 2>&1 | tee {log:q}"
