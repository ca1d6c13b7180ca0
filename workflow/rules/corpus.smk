# From raw data, or from nothing, to a corpus in the common form.


rule corpus:
    output:
        "work/corpora/{corpus}/corpus.json",
    log:
        "work/logs/corpora/{corpus}.log",
    benchmark:
        "work/benchmarks/corpora/{corpus}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: workflow.cores
    shell:
        "python -m trml corpus --folder work/corpora/{wildcards.corpus} --threads {threads} 2>&1 | tee -i {log:q}"
