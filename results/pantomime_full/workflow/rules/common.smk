import os
import sys
from pathlib import Path

# The package in this checkout, also where another workflow uses this one as a module. A module that is fetched file by
# file, and the workflow in a wheel, have none beside them; then the installed package is used.
SOURCE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from snakemake_interface_executor_plugins.settings import DeploymentMethod
from trml.base import checkout
from trml.base.artifacts import WHOLE
from trml.planning.workflow import Workflow

if not SOURCE.is_dir():
    SOURCE = checkout.package_folder()

# The configuration in force. Not `configfile:`, which would merge another one over it key by key.
RUN = Workflow(config.get("params", "params.yaml"), workflow.is_main_process)
SHARD = "work/chunks/{features}/{scatteritem}.json"

# Jobs run the source of this checkout, whichever environment they run in, or none: they compare.
os.environ[checkout.SOURCE] = str(SOURCE)
USES_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
shell.prefix(RUN.shell_prefix(None if USES_CONDA else SOURCE))

# With --software-deployment-method apptainer --config image=FILE, jobs run in this image (docs/install.md).
if "image" in config:

    container: config["image"]


wildcard_constraints:
    **RUN.wildcards(),


# Jobs on other machines take `device: auto` for what it is where the run started, as their names say.
envvars:
    "TRML_DEVICE",


# A shard is one job, on one GPU where there is one. Their number changes no byte: --set-scatter encode=N. On a cluster,
# where the cores of this machine say nothing, the profile gives it.
scattergather:
    encode=min(workflow.resource_settings.cores or 8, 8),


onstart:
    RUN.start()


onsuccess:
    RUN.end_well(whole=not workflow.dag_settings.targets)


onerror:
    RUN.end_badly()


def growing(amount):
    """A resource that grows with each attempt, for jobs that a cluster ended because they had too little."""
    return lambda wildcards, attempt: amount * attempt


def absent(files):
    """An input function: those of the files that are not there.

    A name says what its file was made from, so what is there is up to date, and no job waits for it. So Snakemake sees
    the jobs alone that are to be run, and not why it might repeat another. Where nothing is run, as for `--report`,
    `--summary` and `--rulegraph`, it sees all of them.
    """

    def wanted(wildcards):
        named = files(wildcards) if callable(files) else files
        if workflow.executor_plugin is None:
            return list(named)
        return [path for path in named if not Path(path).exists()]

    return wanted


def target(files):
    """An input function: what is absent of the files, in a first pass what must be fetched for them."""

    def wanted(wildcards):
        is_run = workflow.executor_plugin is not None and not workflow.dryrun
        # Without any input a target would be run every time, so it has the configuration.
        return [RUN.params, *absent(RUN.in_this_pass(files, is_run))(wildcards)]

    return wanted


def shard_files(wildcards):
    """The shards of an encoding; a corpus that brings its features has none."""
    if not RUN.is_encoded(wildcards.features):
        return []
    shards = gather.encode(SHARD.replace("{features}", "{{features}}"))
    return [path.format(features=wildcards.features) for path in shards]
