"""Name the command that a message tells the user to run next, with the configuration in force."""

import os

PARAMS = "TRML_PARAMS"  # the environment variable with the configuration in force
AGAIN = "TRML_AGAIN"  # the environment variable with the command that resumes what `trml run` started
_USUAL = "params.yaml"


def in_force(params: str) -> None:
    """Set TRML_PARAMS for this process and its children."""
    os.environ[PARAMS] = params


def params_file() -> str:
    """Return the configuration in force: TRML_PARAMS, or params.yaml."""
    return os.environ.get(PARAMS, _USUAL)


def fetch_again() -> str:
    """Return the command that fetches the remaining files."""
    params = params_file()
    return "trml fetch" if params == _USUAL else f"trml fetch --params {params}"


def run_again() -> str:
    """Return the command that resumes the run."""
    params = params_file()
    usual = "snakemake --cores all" + ("" if params == _USUAL else f" --config params={params}")
    return os.environ.get(AGAIN, usual)


def remake_published(name: str) -> str:
    """Return the command that makes results again from the configuration that is published with them."""
    return f"snakemake --cores all --config params=results/{name}/params.yaml"


def remake(experiment: str, data: bool) -> str:
    """Return the command that makes an experiment from a fresh clone; `data`: whether the user provides a corpus."""
    return f"make results EXPERIMENT={experiment}" + (" DATA=<folder of the corpora>" if data else "")
