# The benchmark, from configuration to results/. What is built stands here; how stands in workflow/rules.
#
# Paths (every folder ends in the digest of its recipe; see docs/architecture.md):
#   work/fetched/{corpus}       the raw files of a corpus are there
#   work/corpora/{corpus}       utterances, media, pretraining pairs, ceiling
#   work/encoders/{encoder}     the encoder, where the workflow trains one
#   work/chunks/{features}      what the shards of an encoding have made, until it is gathered
#   work/features/{features}    one array a modality
#   work/cells/...              the cell store, one folder a training
#   work/blocks/{block}.json    the cells of a block are in the store
#   work/evaluations/{evaluation}, work/analyses/{analysis}  scores and claims; virtual modalities and examples
#   work/results/{results}      tables, figures and page
#   work/unfinished/{block}/    chunks of cells that are in training, saved
#   results/{experiment}        the published copy, read by no rule

from snakemake.utils import min_version, validate

min_version("9.0")


include: "workflow/rules/common.smk"


validate(RAW_PARAMS, "workflow/schemas/params.schema.json")


include: "workflow/rules/corpus.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/results.smk"


# All that the plans have, so that what was damaged on the way there is made again too.
rule all:
    default_target: True
    input:
        in_this_pass(
            [
                *(
                    folder / finished
                    for plan in PLANS
                    for folder, finished in plan.folders
                    if finished != "cell.json"
                ),
                *(block.path for _, block in BLOCKS.values()),
                *published_stamps(),
            ]
        ),


# What dvc.yaml's stages call.
rule data:
    input:
        in_this_pass([plan.corpus / "corpus.json" for plan in PLANS]),


rule features_only:
    input:
        in_this_pass([plan.features / "features.json" for plan in PLANS]),


rule cells:
    input:
        in_this_pass([block.path for _, block in BLOCKS.values()]),


# The trainings of the search on dev, which is no part of the experiment: `make search` reads them, and writes what was
# chosen to config/chosen, where the experiment finds it.
rule searched:
    input:
        in_this_pass([block.path for _, block in SEARCH_BLOCKS.values()]),
