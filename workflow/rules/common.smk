import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from trml.cells import withdraw_untrue_blocks
from trml.config import load
from trml.errors import TrmlError
from trml.plan import Plan
from trml.publish import is_published
from trml.tidy import bring_back

# The configuration in force. Not `configfile:`, which would merge another one over it key by key.
PARAMS = config.get("params", "params.yaml")

# Rules find the package in the checkout, whichever environment they run in, and the configuration by its place, which is
# no parameter of theirs: what is in it is in the names of their outputs. A failure before `| tee` is a failure.
SOURCE = Path(workflow.basedir) / "src"
shell.prefix(
    "set -euo pipefail; export TRML_PARAMS={PARAMS:q} PYTHONPATH={SOURCE:q}${{PYTHONPATH:+:$PYTHONPATH}}; "
)


def _plan():
    """The plan of the configuration in force, every path of it worked out, so that what is amiss is said now."""
    try:
        plan = Plan(load(PARAMS))
        plan.results
        bring_back(plan)
        withdraw_untrue_blocks(plan)
        return plan
    except TrmlError as error:
        sys.exit(f"trml: {error}")  # one line, where a WorkflowError would print a trace of this file


PLAN = _plan()
RAW_PARAMS = yaml.safe_load(Path(PARAMS).read_text())


def published_stamp():
    """The stamp of the rule that publishes, taken away where results/ does not say what the configuration says
    (edited, removed, checked out from elsewhere): then it is not true."""
    stamp = Path("work/published") / PLAN.results.name
    if not is_published(PLAN):
        stamp.unlink(missing_ok=True)
    return stamp


def encoder_files(wildcards):
    """The finishing file of the encoder, where the workflow trains it. A declared output is always the file that finishes
    its folder (store.new_folder)."""
    return [PLAN.encoder / "encoder.json"] if PLAN.encoder else []
