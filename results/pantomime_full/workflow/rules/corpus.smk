# From raw files, fetched if they can be, or from a generator, to a corpus in the common form.


# A stamp, not the files: data/ is the user's, and Snakemake deletes outputs before it repeats a job.
rule fetch:
    output:
        touch("work/fetched/{fetched}"),
    log:
        "work/logs/fetched/{fetched}.log",
    localrule: True
    conda:
        "../envs/trml.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(1440),
    shell:
        "python -m trml fetch --corpus {wildcards.fetched} 2>&1 | tee -i {log:q}"


rule corpus:
    input:
        absent(lambda wildcards: RUN.raw_stamp(wildcards.corpus)),
    output:
        "work/corpora/{corpus}/corpus.json",
        "work/corpora/{corpus}/whole",
    log:
        "work/logs/corpora/{corpus}.log",
    benchmark:
        "work/benchmarks/corpora/{corpus}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: 8  # or as many as there are
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    shell:
        "python -m trml corpus --folder work/corpora/{wildcards.corpus} --threads {threads} 2>&1 | tee -i {log:q}"
