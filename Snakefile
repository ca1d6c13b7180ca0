# The workflow is workflow/Snakefile, where the Snakemake workflow catalogue looks for it. This file lets `snakemake` find
# it from the root of the repository.
include: "workflow/Snakefile"
