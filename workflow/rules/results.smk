# From cells to scores and claims and to an analysis, to tables, figures and the page, to the published copy.


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


rule analyse:
    input:
        ancient(files_with_cells(PLANS[0])),
    output:
        "work/analyses/{analysis}/analysis.json",
    log:
        "work/logs/analyses/{analysis}.log",
    benchmark:
        "work/benchmarks/analyses/{analysis}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        gpu=lambda wildcards: int(plan_with("analysis", wildcards.analysis).params.device == "cuda"),
    shell:
        "python -m trml analyse --folder work/analyses/{wildcards.analysis} --threads {threads} 2>&1 | tee -i {log:q}"


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
