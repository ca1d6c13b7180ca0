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

from snakemake.settings.types import RerunTrigger
from snakemake.utils import min_version

min_version("9.0")

# An output's name says what it was made from, so what is there is up to date. A stage that is done waits for less than one
# that is to be done (planning/workflow.py), which is no reason to do it again.
workflow.dag_settings.rerun_triggers = frozenset({RerunTrigger.MTIME})


# Reads and checks the configuration, with the kinds of extension packages, which a schema file cannot know.
include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/results.smk"


rule all:
    default_target: True
    input:
        in_this_pass(RUN.everything()),


# Targets of dvc.yaml's stages.
rule data:
    input:
        in_this_pass(RUN.corpora()),


rule features_only:
    input:
        in_this_pass(RUN.features()),


rule cells:
    input:
        in_this_pass(RUN.blocks_done()),


# The search on dev, no part of the experiment: `make search` writes what it chose to config/chosen.
rule searched:
    input:
        in_this_pass(RUN.search_done()),
