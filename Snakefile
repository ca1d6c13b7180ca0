# The benchmark, from configuration to results/. Rules are in workflow/rules, their logic in src/trml/planning/workflow.py.
#
# Paths (every folder ends in the digest of its recipe; see docs/architecture.md):
#   work/fetched/{corpus}            the raw files of a corpus are present
#   work/corpora/{corpus}            utterances, media, pretraining pairs, ceiling
#   work/encoders/{encoder}          an encoder that the workflow trains
#   work/chunks/{features}           shards of an encoding, until they are gathered
#   work/features/{features}         one array and one mask a modality
#   work/cells/...                   the cell store, one folder a block
#   work/.../whole                   a folder of corpora, features or cells has its bulk, which DVC leaves out
#   work/blocks/{block}.done         the cells of a block are in the store
#   work/blocks/{block}.weights      and the weights that the probes read
#   work/unfinished/{block}/         cells in training, saved
#   work/references/{references}     what linear models predict
#   work/probes/{probes}             virtual modalities and examples
#   work/evaluations/{evaluation}    scores and claims
#   work/results/{results}           tables, figures and the page
#   results/{experiment}             the published copy, read by no rule

from snakemake.utils import min_version

min_version("9.0")


# Reads and checks the configuration, with the kinds of extension packages, which a schema file cannot know.
include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/results.smk"


# On a cluster these run where the run started, as fetch and publish do.
localrules:
    all,
    data,
    features_only,
    cells,
    searched,


rule all:
    default_target: True
    input:
        target(RUN.everything()),


# Targets of dvc.yaml's stages.
rule data:
    input:
        target(RUN.corpora()),


rule features_only:
    input:
        target(RUN.features()),


rule cells:
    input:
        target(RUN.blocks_done()),


# The search on dev, no part of the experiment: `make search` writes what it chose to config/chosen.
rule searched:
    input:
        target(RUN.search_done()),
