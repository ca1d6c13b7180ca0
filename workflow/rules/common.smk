import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from snakemake.exceptions import WorkflowError

from trml.config import load
from trml.errors import TrmlError
from trml.plan import Plan
from trml.publish import is_published

# Rules find the package in the checkout, whichever environment they run in.
shell.prefix(f"export PYTHONPATH='{workflow.basedir}/src'; ")

# The configuration in force. Not `configfile:`, which would merge another one over it key by key.
PARAMS = config.get("params", "params.yaml")


def _plan():
    """The plan of the configuration in force, every path of it worked out, so that what is amiss is said now."""
    try:
        plan = Plan(load(PARAMS))
        plan.results
        return plan
    except TrmlError as error:
        raise WorkflowError(str(error)) from None


PLAN = _plan()
RAW_PARAMS = yaml.safe_load(Path(PARAMS).read_text())


def published_stamp():
    """Nothing where results/ says what the configuration says; else the stamp of the rule that publishes."""
    fresh = (PLAN.results / "manifest.json").exists() and is_published(PLAN)
    return [] if fresh else [f"work/published/{PLAN.results.name}"]


def encoder_files(wildcards):
    """The weights of the encoder, where the workflow trains it."""
    return [PLAN.encoder / "model.safetensors"] if PLAN.encoder else []
