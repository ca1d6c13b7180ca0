"""Make the environment in .venv from requirements.lock: with uv, or with pip where uv cannot be installed.

uv is told what pip is configured to do (find-links, indexes, constraints, certificates, proxy), so that both install
the same files: a CPU build of torch that pip finds is found by uv too. Your own UV_* variables take precedence.

Usage: python3 tools/make_env.py. It must be able to run on a Python that is too old, to say so.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

NEEDED = (3, 11)
VENV = Path(".venv")
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
LOCK = "requirements.lock"
UV = "uv==0.13.9"  # not in the lock, which must install without it
# pip's setting -> uv's variable, and what separates several values there.
SETTINGS = {
    "find-links": ("UV_FIND_LINKS", ","),
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("HTTPS_PROXY", " "),
    "no-index": ("UV_NO_INDEX", " "),
}


def main() -> None:
    """Check the Python, make .venv if it is absent or another Python's, and install."""
    if sys.version_info[:2] < NEEDED:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"make env: {sys.executable} is Python {found}; expected 3.11 or newer. "
            "Name a newer one: make env PYTHON=python3.11"
        )
    if not same_python():
        print("make env: creating .venv (2 GB; about 20 s with uv, 2 min with pip)", flush=True)
        # From inside .venv, the Python that made it: a venv cannot replace itself.
        python = getattr(sys, "_base_executable", sys.executable)
        subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)
    wanted = ["install", "--quiet", "--requirement", LOCK, "--editable", "."]
    if have_uv():
        done = subprocess.run([str(BIN / "uv"), "pip", *wanted], env=uv_environment(pip_settings()), check=False)
        if done.returncode == 0:
            compile_imports()
            return
    print("make env: uv is unavailable; installing with pip", flush=True)
    sys.exit(subprocess.run([*PIP, *wanted], check=False).returncode)


PIP = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check"]


def same_python() -> bool:
    """Return True if .venv runs, and on this Python; report one that does not."""
    if not (BIN / "python").exists():  # or it is a link to a Python that was removed
        return False
    ask = "import pip, sys; print(sys.base_prefix, *sys.version_info[:3])"
    answer = subprocess.run([str(BIN / "python"), "-c", ask], capture_output=True, text=True, check=False)
    same = answer.stdout.split() == [sys.base_prefix, *map(str, sys.version_info[:3])]
    if not same:
        print(f"make env: .venv was not made by {sys.executable}; making it again", flush=True)
    return same


def compile_imports() -> None:
    """Write the bytecode of what trml and Snakemake import, 500 files of 17,000.

    Unlike pip, uv compiles nothing. Where PYTHONDONTWRITEBYTECODE is set, as in many containers, every process would
    compile them again: 7.6 s instead of 3.0 s to start.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([str(BIN / "python"), "-c", IMPORTS], env=environment, stderr=subprocess.DEVNULL, check=False)


IMPORTS = """
import contextlib, importlib, pkgutil, snakemake.cli, trml
for module in pkgutil.walk_packages(trml.__path__, "trml."):
    if not module.name.endswith("__main__"):
        with contextlib.suppress(Exception):
            importlib.import_module(module.name)
"""


def have_uv() -> bool:
    """Install uv; return False if it cannot be had."""
    return subprocess.run([*PIP, "install", "--quiet", UV], stderr=subprocess.DEVNULL, check=False).returncode == 0


def pip_settings() -> dict[str, str]:
    """Return pip's settings in force by name; of PIP_* variables, [install] and [global], the first that is set."""
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=True).stdout
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in sections:
            sections[section][name] = ast.literal_eval(value)
    return {name: value for section in sections.values() for name, value in section.items()}


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the environment that makes uv install what pip would: from any index, the newest that fits."""
    environment = {"UV_INDEX_STRATEGY": "unsafe-best-match", "VIRTUAL_ENV": str(VENV.resolve())}
    for name, (variable, separator) in SETTINGS.items():
        if settings.get(name):
            environment[variable] = separator.join(settings[name].split())
    return {**environment, **os.environ, "VIRTUAL_ENV": environment["VIRTUAL_ENV"]}


if __name__ == "__main__":
    main()
