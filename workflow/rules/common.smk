import fcntl
import os
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from trml.base.commands import in_force, run_again
from trml.config.load import load
from trml.base.errors import TrmlError
from trml.planning.integrity import withdraw_damaged
from trml.planning.plan import plans, searched
from trml.report.publish import is_published
from trml.planning.attic import bring_back

# The configuration in force. Not `configfile:`, which would merge another one over it key by key.
PARAMS = config.get("params", "params.yaml")
in_force(PARAMS)

# Rules find the package in the checkout, whichever environment they run in, and the configuration by its place, which is
# no parameter of theirs: what is in it is in the names of their outputs. A failure before `| tee` is a failure, and tee
# outlives Ctrl-C, so that what a job says of it is heard.
SOURCE = Path(workflow.basedir) / "src"
shell.prefix(
    "set -euo pipefail; export TRML_PARAMS={PARAMS:q} PYTHONPATH={SOURCE:q}${{PYTHONPATH:+:$PYTHONPATH}}; "
)


def _plans():
    """The plans of the configuration in force, one a dataset, every path of them worked out, so that what is amiss is said
    now. The jobs' own readings of this file change nothing."""
    try:
        found = plans(load(PARAMS))
        found[0].results
        if workflow.is_main_process:
            bring_back(found)
            withdraw_damaged(found)
        return found
    except TrmlError as error:
        sys.exit(f"trml: {error}")  # one line, where a WorkflowError would print a trace of this file


PLANS = _plans()


# What is made of raw files has its name from what is in them. So where some must be fetched first, a run has two passes:
# the first fetches, and starts the second. A dry run shows all of it, under names that will be others.
UNFETCHED = {plan.params.corpus.name: plan for plan in PLANS if plan.unfetched}


def fetched_stamp(name):
    """The file that says a corpus's raw files are there."""
    return Path("work/fetched") / name


FETCHED = [fetched_stamp(name) for name in UNFETCHED]
if workflow.is_main_process:
    for stamp in FETCHED:
        stamp.unlink(missing_ok=True)  # it is not true


def in_this_pass(files):
    """An input function: the files, or in a first pass what must be fetched for them."""

    def wanted(wildcards):
        first_pass = FETCHED and workflow.executor_plugin is not None and not workflow.dryrun
        return FETCHED if first_pass else files

    return wanted


# One run at a time in a folder. The system gives this lock back however the run ends; Snakemake's own (switched off in
# the profile) stays after a kill, and then every further run is refused until it is taken away by hand.
RUN_LOCK = []


onstart:
    Path("work").mkdir(exist_ok=True)
    RUN_LOCK.append((Path("work") / ".lock").open("w"))
    try:
        fcntl.flock(RUN_LOCK[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("trml: another run is at work in this folder; wait for it to end, or stop it")


onsuccess:
    if FETCHED and all(stamp.is_file() for stamp in FETCHED):
        RUN_LOCK[0].close()
        os.execv(sys.executable, [sys.executable, "-m", "snakemake", *sys.argv[1:]])


onerror:
    print(f"trml: what is finished is kept. Go on with: {run_again()}", file=sys.stderr)


RAW_PARAMS = yaml.safe_load(Path(PARAMS).read_text())
# The blocks of the experiment, and of the search on dev that comes before it where one is asked for.
BLOCKS = {name: (plan, block) for plan in PLANS for name, block in plan.blocks.items()}
SEARCH_BLOCKS = {
    name: (plan, block) for plan in searched(PLANS) for name, block in plan.search_blocks.items()
}
ALL_BLOCKS = {**SEARCH_BLOCKS, **BLOCKS}


def _names(folders):
    return "|".join(folder.name for folder in folders if folder) or "none"


# A folder's name is its recipe's, so a rule makes the folders of its kind for all datasets.
wildcard_constraints:
    corpus=_names(plan.corpus for plan in PLANS),
    encoder=_names(plan.encoder for plan in PLANS),
    features=_names(plan.features for plan in PLANS),
    block="|".join(ALL_BLOCKS),
    evaluation=_names(plan.evaluation for plan in PLANS),
    fetched="|".join(UNFETCHED) or "none",
    analysis=PLANS[0].analysis.name,
    results=PLANS[0].results.name,


# A shard is one job, on one GPU where there is one. How many there are changes no byte: --set-scatter encode=N.
SHARD = "work/chunks/{features}/{scatteritem}.json"


scattergather:
    encode=min(workflow.cores or 1, 8),


def plan_with(kind, name):
    """The first plan whose folder of this kind has the name."""
    return next(plan for plan in PLANS if (folder := getattr(plan, kind)) and folder.name == name)


def published_stamps():
    """The stamp of the rule that publishes, taken away where results/ does not say what the configuration says (edited,
    removed, checked out from elsewhere): then it is not true."""
    stamp = Path("work/published") / PLANS[0].results.name
    if not is_published(PLANS[0]):
        stamp.unlink(missing_ok=True)
    return [stamp]


def raw_stamp(wildcards):
    """What says that the raw files of a corpus are there, where they are not."""
    plan = plan_with("corpus", wildcards.corpus)
    return [fetched_stamp(plan.params.corpus.name)] if plan.unfetched else []


def shard_files(wildcards):
    """The shards of an encoding; a corpus that brings its features has none."""
    if plan_with("features", wildcards.features).params.encoder.kind == "given":
        return []
    return [
        path.format(features=wildcards.features)
        for path in gather.encode(SHARD.replace("{features}", "{{features}}"))
    ]


def encoder_files(wildcards):
    """The finishing file of the encoder, where the workflow trains it. A declared output is always the file that finishes
    its folder (store.new_folder)."""
    encoder = plan_with("features", wildcards.features).encoder
    return [encoder / "encoder.json"] if encoder else []


def files_with_cells(plan):
    blocks = [block.path for block in plan.blocks.values()]
    return [*blocks, plan.corpus / "corpus.json", plan.features / "features.json"]


def evaluated_files(wildcards):
    """The cells; for the experiment's own dataset also those of the others, which it is compared with, and the analysis,
    which a claim is decided by."""
    plan = plan_with("evaluation", wildcards.evaluation)
    files = [path for each in (plan, *plan.others) for path in files_with_cells(each)]
    return files if plan.dataset else [*files, plan.analysis / "analysis.json"]


def reported_files(wildcards):
    plan = PLANS[0]
    evaluations = [each.evaluation / "claims.json" for each in PLANS]
    return [
        *evaluations,
        plan.analysis / "analysis.json",
        plan.corpus / "corpus.json",
        plan.features / "features.json",
    ]
