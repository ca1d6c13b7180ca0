# From a corpus to its features: an encoder is pretrained if the workflow trains it, then encodes text and media.
# The number of threads is in the configuration, since it moves the last bits. --cores does not change it.


rule pretrain:
    input:
        absent(lambda wildcards: [RUN.plan_with("encoder", wildcards.encoder).corpus / WHOLE]),
    output:
        "work/encoders/{encoder}/encoder.json",
    log:
        "work/logs/encoders/{encoder}.log",
    benchmark:
        "work/benchmarks/encoders/{encoder}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: RUN.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
        gpu=RUN.gpus,
    shell:
        "python -m trml pretrain --folder work/encoders/{wildcards.encoder} 2>&1 | tee -i {log:q}"


rule encode:
    input:
        absent(lambda wildcards: [RUN.plan_with("features", wildcards.features).corpus / WHOLE]),
        absent(lambda wildcards: RUN.encoder_files(wildcards.features)),
    output:
        temp(SHARD),
    log:
        "work/logs/chunks/{features}/{scatteritem}.log",
    benchmark:
        "work/benchmarks/chunks/{features}/{scatteritem}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: RUN.threads
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=RUN.gpus,
    shell:
        "python -m trml encode --folder work/features/{wildcards.features} --shard {wildcards.scatteritem}"
        " 2>&1 | tee -i {log:q}"


rule features:
    input:
        absent(lambda wildcards: [RUN.plan_with("features", wildcards.features).corpus / WHOLE]),
        ancient(shard_files),
    output:
        "work/features/{features}/features.json",
        "work/features/{features}/whole",
    log:
        "work/logs/features/{features}.log",
    benchmark:
        "work/benchmarks/features/{features}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    shell:
        "python -m trml features --folder work/features/{wildcards.features} 2>&1 | tee -i {log:q}"
