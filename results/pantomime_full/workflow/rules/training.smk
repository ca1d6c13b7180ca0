# One job trains a block of cells. The cells are not outputs: they are in the cell store, and a block trains those that
# the store lacks. So a changed grid trains its new cells only. More cores mean more jobs, not more threads a job.


rule train:
    input:
        absent(lambda wildcards: [RUN.block(wildcards.block)[0].features / WHOLE]),
    output:
        "work/blocks/{block}.done",
        "work/blocks/{block}.weights",
    log:
        "work/logs/blocks/{block}.log",
    benchmark:
        "work/benchmarks/blocks/{block}.tsv"
    priority: lambda wildcards: RUN.cost(wildcards.block)
    conda:
        "../envs/trml.yaml"
    threads: RUN.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=RUN.gpus,
    shell:
        "python -m trml train --block {wildcards.block} 2>&1 | tee -i {log:q}"


# A training of the proposed method as a folder that stands alone. DVC keeps it as an artifact; no other rule reads it.
rule model:
    input:
        absent(lambda wildcards: RUN.model_files()),
    output:
        "work/models/{model}/config.json",
    log:
        "work/logs/models/{model}.log",
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    shell:
        "python -m trml model 2>&1 | tee -i {log:q}"
