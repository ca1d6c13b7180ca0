# From raw data, or from nothing, to a corpus in the common form.


rule corpus:
    output:
        PLAN.corpus / "corpus.json",
    log:
        f"work/logs/corpora/{PLAN.corpus.name}.log",
    benchmark:
        f"work/benchmarks/corpora/{PLAN.corpus.name}.tsv"
    conda:
        "../envs/trml.yaml"
    threads: workflow.cores
    shell:
        "python -m trml corpus --threads {threads} 2>&1 | tee {log:q}"
