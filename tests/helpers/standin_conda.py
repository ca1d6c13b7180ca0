"""A stand-in for conda that answers what Snakemake asks of it. It installs nothing, and is no test of conda.

`env create` reads the environment file, compares every pin with the Python that runs the tests, and makes a venv that
sees that Python's packages but not its trml. What runs in such an environment leaves a line in its file `ran`.
"""

import json
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

sys.path.append(str(Path(__file__).parents[2] / "tools"))
from write_lock import CONDA_NAMES

OWN = ("python", "pip", "ffmpeg")  # of conda alone, without a pin in requirements.lock
NOTE = """import json, os, sys; open(os.path.join(sys.prefix, "ran"), "a").write(json.dumps(\
{"argv": sys.orig_argv[1:], "pythonpath": os.environ.get("PYTHONPATH")}) + "\\n")
"""
ACTIVATE = """\
export CONDA_PREFIX="$1"
export PATH="$1/bin:$PATH"
"""


def install(folder: Path) -> Path:
    """Put a `conda` and an `activate` into folder/bin, and return that folder."""
    bin_ = folder / "bin"
    bin_.mkdir(parents=True)
    (bin_ / "conda").write_text(f'#!/bin/sh\nexec {sys.executable} -P {__file__} {folder} "$@"\n')
    (bin_ / "conda").chmod(0o755)
    (bin_ / "activate").write_text(ACTIVATE)
    return bin_


def answer(prefix: str, arguments: list[str]) -> str:
    """Return what conda prints for a command of Snakemake's; stop on any other."""
    match arguments:
        case ["info", "--json"]:
            return json.dumps({"conda_prefix": prefix, "platform": "linux-64"})
        case ["--version"]:
            return "conda 24.11.0"
        case ["config", "--get", "channel_priority", "--json"]:
            return json.dumps({"get": {"channel_priority": "strict"}})
        case ["env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", environment]:
            create(Path(file), Path(environment))
            return f"made {environment}"
        case ["clean", "-y", "--tarballs"]:
            return "cleaned"
    return sys.exit(f"stand-in conda: unexpected command {arguments}")


def create(file: Path, environment: Path) -> None:
    """Make the environment of a file, if its pins are those of the Python that runs this."""
    *conda, by_pip = yaml.safe_load(file.read_text())["dependencies"]
    pypi = {name: known for known, name in CONDA_NAMES.items()}
    pins = [re.split("==?", pin)[:2] for pin in conda]
    wanted = {pypi[name]: pinned for name, *pinned in pins if name not in OWN}
    wanted |= {name: [pinned] for name, pinned in (pin.split("==") for pin in by_pip["pip"])}
    wrong = {name: pinned for name, pinned in wanted.items() if [installed(name)] != pinned}
    if wrong:
        sys.exit(f"stand-in conda: no such packages: {wrong}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "standin.pth").write_text(
        NOTE + sysconfig.get_path("purelib") + "\n"
    )  # its own .pth files are not read


def installed(name: str) -> str | None:
    """Return a package's version, without a local label such as `+cpu`."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    print(answer(sys.argv[1], sys.argv[2:]))
