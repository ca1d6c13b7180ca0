import fcntl
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from trml.config import load
from trml.errors import TrmlError
from trml.integrity import withdraw_damaged
from trml.plan import plans, searched
from trml.publish import is_published
from trml.tidy import bring_back

# The configuration in force. Not `configfile:`, which would merge another one over it key by key.
PARAMS = config.get("params", "params.yaml")

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


onerror:
    print("trml: what is finished is kept. Go on with: snakemake --cores all", file=sys.stderr)


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
    analysis=PLANS[0].analysis.name,
    results=PLANS[0].results.name,


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
