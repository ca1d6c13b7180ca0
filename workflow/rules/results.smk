# From cells to scores and claims, to tables, figures and the page, to the published copy.


def evaluated_files(wildcards):
    """The cells, and those of further datasets, since the evaluation of the experiment's own compares with them."""
    plan = plan_with("evaluation", wildcards.evaluation)
    return [
        path
        for each in (plan, *plan.others)
        for path in (
            *(block.path for block in each.blocks.values()),
            each.corpus / "corpus.json",
            each.features / "features.json",
        )
    ]


def reported_files(wildcards):
    plan = PLANS[0]
    evaluations = [each.evaluation / "claims.json" for each in PLANS]
    return [*evaluations, plan.corpus / "corpus.json", plan.features / "features.json"]


rule evaluate:
    input:
        ancient(evaluated_files),
    output:
        "work/evaluations/{evaluation}/claims.json",
    log:
        "work/logs/evaluations/{evaluation}.log",
    benchmark:
        "work/benchmarks/evaluations/{evaluation}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml evaluate --folder work/evaluations/{wildcards.evaluation} 2>&1 | tee -i {log:q}"


rule report:
    input:
        ancient(reported_files),
    output:
        "work/results/{results}/manifest.json",
    log:
        "work/logs/results/{results}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml report --folder work/results/{wildcards.results} 2>&1 | tee -i {log:q}"


# results/ is not an output: Snakemake would delete it before it is known whether it needs to change.
rule publish:
    input:
        ancient("work/results/{results}/manifest.json"),
    output:
        touch("work/published/{results}"),
    log:
        "work/logs/published/{results}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml publish --folder work/results/{wildcards.results} 2>&1 | tee -i {log:q}"
