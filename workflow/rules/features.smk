# From a corpus to its features: the encoder is pretrained where it is ours, then text and frames go through it.
# One thread each: the same thread count gives the same bits, whatever --cores.


rule pretrain:
    input:
        lambda wildcards: ancient(plan_with("encoder", wildcards.encoder).corpus / "corpus.json"),
    output:
        "work/encoders/{encoder}/encoder.json",
    log:
        "work/logs/encoders/{encoder}.log",
    benchmark:
        "work/benchmarks/encoders/{encoder}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml pretrain --folder work/encoders/{wildcards.encoder} --threads {threads} 2>&1 | tee -i {log:q}"


rule encode:
    input:
        lambda wildcards: ancient(plan_with("features", wildcards.features).corpus / "corpus.json"),
        ancient(encoder_files),
    output:
        temp(SHARD),
    log:
        "work/logs/chunks/{features}/{scatteritem}.log",
    benchmark:
        "work/benchmarks/chunks/{features}/{scatteritem}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        gpu=lambda wildcards: int(plan_with("features", wildcards.features).params.device == "cuda"),
    shell:
        "python -m trml encode --folder work/features/{wildcards.features} --shard {wildcards.scatteritem}"
        " --threads {threads} 2>&1 | tee -i {log:q}"


rule features:
    input:
        lambda wildcards: ancient(plan_with("features", wildcards.features).corpus / "corpus.json"),
        ancient(shard_files),
    output:
        "work/features/{features}/features.json",
    log:
        "work/logs/features/{features}.log",
    benchmark:
        "work/benchmarks/features/{features}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml features --folder work/features/{wildcards.features} --threads {threads} 2>&1 | tee -i {log:q}"
