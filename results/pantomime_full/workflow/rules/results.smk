# From cells to probes, scores and claims, to tables, figures and the page, to the published copy.


localrules:
    publish,


rule probe:
    input:
        absent(RUN.probed_files()),
    output:
        "work/probes/{probes}/probes.json",
    log:
        "work/logs/probes/{probes}.log",
    benchmark:
        "work/benchmarks/probes/{probes}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: RUN.threads
    resources:
        mem_mb=growing(8000),
        runtime=growing(120),
        gpu=RUN.gpus,
    shell:
        "python -m trml probe --folder work/probes/{wildcards.probes} 2>&1 | tee -i {log:q}"


rule refer:
    input:
        absent(lambda wildcards: [RUN.plan_with("references", wildcards.references).features / WHOLE]),
    output:
        "work/references/{references}/references.parquet",
    log:
        "work/logs/references/{references}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    shell:
        "python -m trml refer --folder work/references/{wildcards.references} 2>&1 | tee -i {log:q}"


rule evaluate:
    input:
        absent(lambda wildcards: RUN.evaluated_files(wildcards.evaluation)),
    output:
        "work/evaluations/{evaluation}/claims.json",
    log:
        "work/logs/evaluations/{evaluation}.log",
    benchmark:
        "work/benchmarks/evaluations/{evaluation}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(120),
    shell:
        "python -m trml evaluate --folder work/evaluations/{wildcards.evaluation} 2>&1 | tee -i {log:q}"


rule report:
    input:
        absent(RUN.reported_files()),
    output:
        "work/results/{results}/manifest.json",
        report("work/results/{results}/report/index.html", caption="../report/page.rst", category="Results"),
    log:
        "work/logs/results/{results}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    shell:
        "python -m trml report --folder work/results/{wildcards.results} 2>&1 | tee -i {log:q}"


# results/ is not an output: Snakemake would delete it before it is known whether it changes.
rule publish:
    input:
        absent(lambda wildcards: [f"work/results/{wildcards.results}/manifest.json"]),
    output:
        touch("work/published/{results}"),
    log:
        "work/logs/published/{results}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    shell:
        "python -m trml publish --folder work/results/{wildcards.results} 2>&1 | tee -i {log:q}"
