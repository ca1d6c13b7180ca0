"""The commands that go on with what is at hand: those of the configuration in force, which need not be params.yaml."""

import os

_USUAL = "params.yaml"


def in_force(params: str) -> None:
    """This process and those it starts have their configuration in that file."""
    os.environ["TRML_PARAMS"] = params


def fetch_again() -> str:
    """What fetches the rest."""
    params = os.environ.get("TRML_PARAMS", _USUAL)
    return "trml fetch" if params == _USUAL else f"trml fetch --params {params}"


def run_again() -> str:
    """What goes on with the run."""
    params = os.environ.get("TRML_PARAMS", _USUAL)
    return "snakemake --cores all" + ("" if params == _USUAL else f" --config params={params}")
