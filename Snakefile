# The workflow is workflow/Snakefile, where the Snakemake workflow catalogue looks for it.
include: "workflow/Snakefile"


localrules:
    default,


# What `snakemake` makes: an included file cannot say so itself.
rule default:
    default_target: True
    input:
        rules.all.input,
