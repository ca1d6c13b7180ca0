# From cells to scores and claims, to tables, figures and the page, to the published copy.


def evaluated_files(wildcards):
    plan = plan_with("evaluation", wildcards.evaluation)
    blocks = [block.path for block in plan.blocks.values()]
    return [*blocks, plan.corpus / "corpus.json", plan.features / "features.json"]


def reported_files(wildcards):
    plan = plan_with("results", wildcards.results)
    return [plan.evaluation / "claims.json", plan.corpus / "corpus.json", plan.features / "features.json"]


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
