# From a corpus to its features: the encoder is pretrained where it is ours, then text and frames go through it.
# One thread each: the same thread count gives the same bits, whatever --cores.


rule pretrain:
    input:
        ancient(PLAN.corpus / "corpus.json"),
    output:
        f"work/encoders/{PLAN.encoder.name if PLAN.encoder else 'none'}/encoder.json",
    log:
        f"work/logs/encoders/{PLAN.encoder.name if PLAN.encoder else 'none'}.log",
    benchmark:
        f"work/benchmarks/encoders/{PLAN.encoder.name if PLAN.encoder else 'none'}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml pretrain --threads {threads} 2>&1 | tee {log:q}"


rule features:
    input:
        ancient(PLAN.corpus / "corpus.json"),
        ancient(encoder_files),
    output:
        PLAN.features / "features.json",
    log:
        f"work/logs/features/{PLAN.features.name}.log",
    benchmark:
        f"work/benchmarks/features/{PLAN.features.name}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 1
    shell:
        "python -m trml features --threads {threads} 2>&1 | tee {log:q}"
