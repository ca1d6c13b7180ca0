"""Write requirements.lock from the packages in .venv, and repeat its pins in workflow/envs/trml.yaml.

Run it after changing a dependency: edit pyproject.toml, `.venv/bin/pip install PACKAGE==VERSION`, `make lock`.
"""

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path("requirements.lock")
CONDA = Path("workflow/envs/trml.yaml")
HEAD = """\
# Every package of the environment, pinned: the direct dependencies of pyproject.toml and everything they pull in.
# Written by `make lock`. Local version labels such as +cpu are left out.
"""


def frozen() -> list[str]:
    """Return the installed packages as `name==version`, in order of names."""
    # Without uv, which tools/make_env.py installs and can do without.
    options = ["--disable-pip-version-check", "--exclude-editable", "--exclude", "uv"]
    command = [sys.executable, "-m", "pip", "freeze", *options]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted((re.sub(r"\+.*", "", line) for line in listed.splitlines()), key=str.lower)


def conda(text: str, pins: list[str]) -> str:
    """Return a conda environment with its list of pip packages replaced by `pins`."""
    head, list_of_pip, _ = text.partition("  - pip:\n")
    return head + list_of_pip + "".join(f"      - {pin}\n" for pin in pins)


if __name__ == "__main__":
    packages = frozen()
    LOCK.write_text(HEAD + "".join(f"{pin}\n" for pin in packages))
    CONDA.write_text(conda(CONDA.read_text(), packages))
