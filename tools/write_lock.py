"""Write requirements.lock from the packages in .venv, and its pins into the environments of conda.

Run it after changing a dependency: edit pyproject.toml, `.venv/bin/pip install PACKAGE==VERSION`, `make lock`.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

LOCK = Path("requirements.lock")
HEAD = """\
# Every package of the environment, pinned: the direct dependencies of pyproject.toml and everything they pull in.
# Written by `make lock`. Local version labels such as +cpu are left out.
"""
USER, RULES = Path("environment.yml"), Path("workflow/envs/trml.yaml")
PINS, PIP = "  # Pins of requirements.lock, written by `make lock`.\n", "  - pip:\n"

# PyPI's name -> conda's, of what conda installs: packages with compiled code that share libraries with each other
# (BLAS, FFmpeg, HDF5), and snakemake, which is bioconda's. pip installs the others.
CONDA_NAMES = {
    "av": "av",
    "h5py": "h5py",
    "matplotlib": "matplotlib-base",
    "numpy": "numpy",
    "pandas": "pandas",
    "pillow": "pillow",
    "polars": "polars",
    "scikit-image": "scikit-image",
    "scikit-learn": "scikit-learn",
    "scipy": "scipy",
    "snakemake": "snakemake-minimal",
    "statsmodels": "statsmodels",
    "torch": "pytorch",
    "torchvision": "torchvision",
}


def frozen() -> list[str]:
    """Return the installed packages as `name==version`, in order of names."""
    # Without uv, which tools/make_env.py installs and can do without.
    options = ["--disable-pip-version-check", "--exclude-editable", "--exclude", "uv"]
    command = [sys.executable, "-m", "pip", "freeze", *options]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted((re.sub(r"\+.*", "", line) for line in listed.splitlines()), key=str.lower)


def split(pins: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the pins that conda installs, under conda's names, and those that pip installs."""
    pairs = [pin.split("==") for pin in pins]
    conda = [f"{CONDA_NAMES[name]}=={version}" for name, version in pairs if name in CONDA_NAMES]
    return conda, [f"{name}=={version}" for name, version in pairs if name not in CONDA_NAMES]


def with_pins(text: str, conda: list[str], pip: list[str] | None = None) -> str:
    """Return the text of an environment with these pins; `pip`: None if it leaves them to requirements.lock."""
    head, _, tail = text.partition(PINS)
    listed_by_pip = tail.partition(PIP)[2] if pip is None else "".join(f"      - {pin}\n" for pin in pip)
    return head + PINS + "".join(f"  - {pin}\n" for pin in conda) + PIP + listed_by_pip


if __name__ == "__main__":
    packages = frozen()
    from_conda, from_pip = split(packages)
    LOCK.write_text(HEAD + "".join(f"{pin}\n" for pin in packages))
    USER.write_text(with_pins(USER.read_text(), from_conda))
    RULES.write_text(with_pins(RULES.read_text(), from_conda, from_pip))
