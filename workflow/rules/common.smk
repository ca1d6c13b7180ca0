import sys
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))

from trml.planning.workflow import Workflow

# The configuration in force. Not `configfile:`, which would merge another one over it key by key.
RUN = Workflow(config.get("params", "params.yaml"), workflow.is_main_process)
SHARD = "work/chunks/{features}/{scatteritem}.json"

shell.prefix(RUN.shell_prefix(SOURCE))


wildcard_constraints:
    **RUN.wildcards(),


# A shard is one job, on one GPU where there is one. Their number changes no byte: --set-scatter encode=N.
scattergather:
    encode=min(workflow.cores or 1, 8),


onstart:
    RUN.start()


onsuccess:
    RUN.end_well(whole=not workflow.dag_settings.targets)


onerror:
    RUN.end_badly()


def in_this_pass(files):
    """An input function: the files, or in a first pass what must be fetched for them."""

    def wanted(wildcards):
        is_run = workflow.executor_plugin is not None and not workflow.dryrun
        return RUN.in_this_pass(files, is_run)

    return wanted


def shard_files(wildcards):
    """The shards of an encoding; a corpus that brings its features has none."""
    if not RUN.is_encoded(wildcards.features):
        return []
    shards = gather.encode(SHARD.replace("{features}", "{{features}}"))
    return [path.format(features=wildcards.features) for path in shards]
