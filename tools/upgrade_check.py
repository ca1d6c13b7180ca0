"""Try the newest versions of the dependencies, within bounds, in an environment of their own, and print what passes.

Usage: make upgrade-check [TESTS="tests/unit -k config"]. It changes neither .venv nor the pins. First all packages are
upgraded together. If a test fails, each direct dependency is upgraded alone, and then the indirect ones.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

from packaging.version import Version

from make_env import BIN, LOCK, PIP, have_uv, pip_settings, uv_environment

HELD = ("torch", "torchvision")  # a newer one may bring gigabytes of CUDA libraries, and has other bits
INDIRECT = "(indirect)"
Versions = dict[str, str]
Judged = dict[str, list[str] | None]
Trial = Callable[[Versions], list[str]]
Resolve = Callable[[str], Versions]


class Unresolved(Exception):
    """No versions agree with each other, or a package cannot be installed."""


def pins_of(lines: Iterable[str]) -> Versions:
    """Return version by package from lines `name==version`; others, such as comments, are left out."""
    pairs = [line.split("#")[0].strip().split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonical(name): re.sub(r"\+.*", "", version) for name, version in pairs}


def canonical(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct() -> Versions:
    """Return the pins of pyproject.toml, of every extra that the lock has."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    return pins_of(chain(project["dependencies"], *project["optional-dependencies"].values()))


def bound(name: str, pinned: str) -> str:
    """Return the requirement that an upgrade stays within: the same major version, or 0.x for what is below 1."""
    if name in HELD:
        return f"{name}=={pinned}"
    major, minor, *_ = (*Version(pinned).release, 0)
    return f"{name}>={pinned},<{major + 1 if major else f'0.{minor + 1}'}"


def alone(name: str, pinned: Versions, newest: Versions) -> list[str]:
    """Return the requirements of an upgrade of one package. Exact, or uv would keep the locked version."""
    return [f"{each}=={newest[each] if each == name else version}" for each, version in pinned.items()]


def judge(pinned: Versions, newest: Versions, locked: Versions, resolve: Resolve, trial: Trial) -> Judged:
    """Return, for each direct package with a newer version, the tests that fail with it.

    Args:
        pinned: The direct dependencies.
        newest: All packages, with everything upgraded within bounds.
        locked: All packages, as in requirements.lock.
        resolve: Returns all packages where one direct dependency alone is upgraded, with what it needs; or, for
            INDIRECT, none of them and what they pull in.
        trial: Installs versions and returns the tests that fail.

    Returns:
        Failed tests by package, INDIRECT included. Empty where all pass, None where a package passes alone although
        all together fail.
    """
    newer = [name for name in pinned if newest[name] != pinned[name]]
    if any(locked.get(name) != version for name, version in newest.items() if name not in pinned):
        newer.append(INDIRECT)
    if not newer:
        return {}
    if not trial(newest):
        return {name: [] for name in newer}
    return {name: _tried_alone(name, resolve, trial) or None for name in newer}


def _tried_alone(name: str, resolve: Resolve, trial: Trial) -> list[str]:
    try:
        return trial(resolve(name))
    except Unresolved as error:
        return [str(error)]


def table(pinned: Versions, newest: Versions, judged: Judged) -> str:
    """Return the table of all direct dependencies: package, pinned, newest, result."""
    rows = [("package", "pinned", "newest", "result")]
    for name, version in sorted(pinned.items()):
        result = "held" if name in HELD else "same" if newest[name] == version else said(judged[name])
        rows.append((name, version, newest[name], result))
    if INDIRECT in judged:
        rows.append((INDIRECT, "", "", said(judged[INDIRECT])))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[3]]).rstrip() for row in rows)


def said(failed: list[str] | None) -> str:
    """Return the words for the tests that fail with a package."""
    if failed is None:
        return "passes alone, not with the others"
    if not failed:
        return "passes"
    return f"fails: {failed[0]}" + (f" and {len(failed) - 1} more" if failed[1:] else "")


class Scratch:
    """An environment outside .venv that versions are tried in, and the tests to run there."""

    def __init__(self, folder: Path, tests: Sequence[str], workers: str) -> None:
        self.folder, self.tests, self.workers = folder, tests, workers
        self.python = folder / "env" / BIN.name / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        self.uv = have_uv()
        self.environment = uv_environment(pip_settings()) | {"VIRTUAL_ENV": str(folder / "env")}

    def resolve(self, bounds: Sequence[str], preferred: Versions | None = None) -> Versions:
        """Return the newest versions of all packages within the bounds; `preferred`: unless these fit too."""
        wanted = self._write("bounds.txt", bounds)
        if self.uv:
            # uv keeps the versions of an output file that exists.
            found = self._write("found.txt", [f"{name}=={version}" for name, version in (preferred or {}).items()])
            options = ["--quiet", "--no-header", "--no-annotate", "--python", str(self.python), "--output-file", found]
            self._run([str(BIN / "uv"), "pip", "compile", *options, wanted])
            return pins_of(Path(found).read_text().splitlines())
        if preferred:
            raise Unresolved("not tried alone: that needs uv")
        self._run([str(self.python), *PIP[1:], "install", "--quiet", "--requirement", wanted])
        return pins_of(self._run([str(self.python), *PIP[1:], "freeze", "--exclude-editable"]).splitlines())

    def failed(self, versions: Versions) -> list[str]:
        """Install exactly these versions and return the tests that fail with them."""
        wanted = self._write("versions.txt", [*(f"{n}=={v}" for n, v in sorted(versions.items())), f"-e {Path.cwd()}"])
        if self.uv:
            self._run([str(BIN / "uv"), "pip", "sync", "--quiet", "--python", str(self.python), wanted])
        else:
            self._run([str(self.python), *PIP[1:], "install", "--quiet", "--no-deps", "--requirement", wanted])
        command = [str(self.python), "-m", "pytest", "-q", "-rfE", "--tb=no", "-n", self.workers, *self.tests]
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            command,
            env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(ran.stdout[-2000:], file=sys.stderr)
        return failures(ran.stdout, ran.returncode)

    def _write(self, name: str, lines: Sequence[str]) -> str:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unresolved(done.stderr.strip())
        return done.stdout


def failures(output: str, code: int) -> list[str]:
    """Return the tests that pytest lists as failed; a run that ended otherwise is a failure too."""
    listed = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    return listed or ([f"pytest ended with code {code}"] if code else [])


def main() -> int:
    """Resolve, try and print; return 1 if something newer fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="2", help="processes that run tests (default 2)")
    arguments, tests = parser.parse_known_args()
    pinned, locked = direct(), pins_of(Path(LOCK).read_text().splitlines())
    folder = Path(tempfile.mkdtemp(prefix="trml-upgrade-"))
    try:
        scratch = Scratch(folder, tests or ["tests/unit"], arguments.workers)
        newest = scratch.resolve([bound(*pin) for pin in pinned.items()])

        def resolve(name: str) -> Versions:
            return scratch.resolve(alone(name, pinned, newest), None if name == INDIRECT else locked)

        def trial(versions: Versions) -> list[str]:
            changed = [f"{name} {version}" for name, version in versions.items() if locked.get(name) != version]
            print("upgrade-check: trying", ", ".join(changed) or "the lock", file=sys.stderr, flush=True)
            return scratch.failed(versions)

        judged = judge(pinned, newest, locked, resolve, trial)
    except Unresolved as error:
        sys.exit(f"make upgrade-check: the newest versions cannot be installed.\n{error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(pinned, newest, judged))
    return int(any(failed != [] for failed in judged.values()))


if __name__ == "__main__":
    sys.exit(main())
