"""What verbs share: their options, the plans of the configuration in force, the device, and what a RESULT is."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from trml.base.checkout import config_folder, project
from trml.base.commands import params_file
from trml.base.errors import CommandError, ContractError, DataMissing, FetchFailed, TrmlError
from trml.base.nearest import nearest
from trml.base.printable import few, one_line

if TYPE_CHECKING:
    import torch

    from trml.planning.plan import Plan

CHECKOUT = project()  # the repository, or a wheel's copy of what a run reads there
Kind = Literal["corpus", "encoder", "features", "references", "probes", "evaluation", "results"]  # folders of a plan
# What reading a document of another form raises.
_MISREAD = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
F = TypeVar("F", bound=Callable[..., object])

Params = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="configuration to use (default: the environment variable TRML_PARAMS, else params.yaml)"
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="folder of work/ to make, as `trml status --folders` names it (default: that of the experiment's own "
        "dataset)",
    ),
]


def _found(config: Path) -> Path:
    return config_folder(config)


Config = Annotated[
    Path, typer.Option(metavar="FOLDER", help="folder of configurations", show_default=True, callback=_found)
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Yes = Annotated[bool, typer.Option("--yes", help="answer questions with yes")]


def result_names(incomplete: str = "") -> list[str]:
    """Return the names below results/, for completion."""
    return sorted(path.parent.name for path in Path("results").glob(f"{incomplete}*/manifest.json"))


def experiment_names(incomplete: str = "") -> list[str]:
    """Return the names of the experiments in config/, for completion."""
    return sorted(path.stem for path in Path("config/experiment").glob(f"{incomplete}*.yaml"))


Result = Annotated[
    str | None,
    typer.Argument(
        metavar="RESULT",
        help="a name below results/, NAME@COMMIT, a folder, an archive or its address (default: that of the "
        "configuration in force, else the only one)",
        autocompletion=result_names,
        show_default=False,
    ),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[EXPERIMENT] [KEY=VALUE ...]",
        help="an experiment of config/ (default: params.yaml) and settings to change in it, in Hydra's syntax",
        autocompletion=experiment_names,
        show_default=False,
    ),
]


def examples(text: str, many: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Give a verb the examples that its help ends with; `many`: options that take several values in a row."""

    def given(function: F) -> F:
        function.examples, function.many = text, many  # type: ignore[attr-defined]
        return function

    return given


def plans_of(params: str | None) -> "list[Plan]":
    """Return the plans of a configuration file, or of the one in force; the experiment's own first.

    Raises:
        DataMissing: If there is none, because this is no folder of the project.
    """
    from trml.config.load import load
    from trml.planning.plan import plans

    path = Path(params or params_file())
    if params is None and not path.is_file() and not (config_folder() / "config.yaml").is_file():
        raise DataMissing(
            f"{Path.cwd()} has neither {path} nor config/: it is no checkout of trml",
            command="cd <checkout> && trml run",
        )
    return plans(load(path))


def plan_of(params: str | None, folder: Path | None, kind: Kind) -> "Plan":
    """Return the plan that names a folder; without one, the experiment's own plan.

    Raises:
        CommandError: If no plan names the folder.
    """
    plans = plans_of(params)
    if folder is None:
        return plans[0]
    folders = [getattr(plan, kind) for plan in plans]
    if folder not in folders:
        known = ", ".join(str(each) for each in folders if each) or "none"
        raise CommandError(f"{folder} is no {kind} folder of {params or params_file()}; known are {known}")
    return plans[folders.index(folder)]


def device_of(plan: "Plan") -> "torch.device":
    """Set this process up for what the plan computes on, and return the device."""
    os.environ.update(plan.compute.environment)  # before torch is imported
    from trml.device import set_up

    return set_up(plan.compute.device, plan.compute.threads, plan.compute.portable)


def result_folder(result: str | None, option: str = "") -> Path:
    """Return the folder of results that a name or a path means.

    Without one, that of the configuration in force, else the only one in results/.

    Args:
        result: The name or path.
        option: The option that names it, where it is no argument.

    Raises:
        DataMissing: If there is none.
    """
    names = result_names()
    known = few(names) or "none"
    if result is None:
        in_force = _names_in_force()
        found = [name for name in in_force if name in names] or (names if len(names) == 1 else [])
        if not found:
            why = f", not {one_line(in_force[0])} of {params_file()}" if in_force else ""
            raise DataMissing(f"which results? results/ has {known}{why}; name one{option and f' with {option}'}")
        result = found[0]
    for path in (Path("results") / result, Path(result)):
        if (path / "manifest.json").is_file():
            return path
    near = nearest(result, names) if names else ""
    raise DataMissing(f"there are no results {result}: results/ has {known}{near if 'did you' in near else ''}")


def _names_in_force() -> list[str]:
    """Return the names that the configuration in force is published under: of this machine's device, then of a CPU.

    A file that is absent or at fault has none: published results are read without it.
    """
    from trml.config.load import load
    from trml.planning.compute import resolve_device
    from trml.planning.naming import naming

    path = Path(params_file())
    try:
        params = load(path)
        devices = dict.fromkeys((resolve_device(params.device), "cpu"))
        return [naming(params, device, config_folder(), Path("work")).published for device in devices]
    except TrmlError:
        return []


@contextmanager
def opened(result: str | None) -> Iterator[Path]:
    """Yield the folder of a RESULT: a name, a folder, NAME@COMMIT, an archive of `trml export` or its address.

    Raises:
        DataMissing: If there is no such result.
        ContractError: If the block fails on what it holds: its files, and SHA256SUMS with them, may be anybody's.
    """
    from polars.exceptions import PolarsError

    from trml.base.artifacts import damage
    from trml.base.progress import say
    from trml.report.result_files import altered, in_words

    with _opened(result) as folder:
        if changed := altered(folder, _is_small):
            say(f"ATTENTION: {folder} is not as its manifest.json says: {in_words(changed)}")
        try:
            yield folder
        except (*_MISREAD, PolarsError) as error:
            fault = damage(folder) or "its checksums fit, so it was written so"
            reason = one_line((str(error).splitlines() or [""])[0])[:300]
            raise ContractError(
                f"{folder} has not the form of published results ({fault}). It could not be read: "
                f"{type(error).__name__}: {reason}"
            ) from error


def _is_small(name: str) -> bool:
    """Return whether a file of results is one of those that verbs read, whose checksums take no time."""
    return name.endswith((".csv", ".json", ".yaml"))


@contextmanager
def _opened(result: str | None) -> Iterator[Path]:
    is_address = result is not None and result.startswith(("https://", "http://"))
    name, at, commit = (result or "").rpartition("@")
    if at and not is_address and not Path(result or "").exists():
        with TemporaryDirectory() as temporary:
            yield _of_commit(name, commit, Path(temporary))
        return
    if not is_address and not (result and Path(result).is_file()):
        yield result_folder(result)
        return
    assert result is not None
    from trml.sources.fetching.config import Source
    from trml.sources.fetching.download import download
    from trml.sources.fetching.lockfile import Lock
    from trml.sources.formats.archives import unpack

    with TemporaryDirectory() as temporary:
        archive, folder = Path(result), Path(temporary)
        if is_address:
            archive = folder / "deposit.zip"
            try:
                download(Source(archive.name, [result], None, None, []), archive, Lock(folder))
            except FetchFailed as error:  # its advice is about a corpus: where to put a file, which is no more here
                what = str(error).partition(". Try again")[0].partition(". To fetch it again")[0]
                what = what.replace(str(archive), archive.name)
                raise FetchFailed(f"{what}. Fetch it yourself, and name the file in place of its address") from None
        unpack(archive, folder / "opened")
        found = [path.parent for path in (folder / "opened").glob("results/*/manifest.json")]
        if len(found) != 1:
            raise DataMissing(f"{result} has {len(found)} results; expected an archive of `trml export`")
        yield found[0]


def _of_commit(name: str, commit: str, folder: Path) -> Path:
    """Return a result as a commit of this repository has it, written below `folder`.

    Git is given the commit's hash, and the path as it is written: no word of a command line is an option or a pattern.

    Raises:
        DataMissing: If git is not installed, or knows no such commit or result.
    """
    path, shown = f"results/{name}", one_line(commit)
    if name in ("", "..") or Path(name).name != name:
        raise DataMissing(f"{one_line(name)!r} is no name of results; expected NAME@COMMIT, a name below results/")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    if found.returncode:
        reason = _said(found) or "git knows no such commit"
        raise DataMissing(f"there is no commit {shown} ({reason})", command="git log --oneline -- results")
    archive = folder / "commit.tar"
    packed = _git("archive", "--format=tar", f"--output={archive}", found.stdout.decode().strip(), "--", path)
    if packed.returncode:
        reason = _said(packed) or "git failed"
        raise DataMissing(f"there is no {path} in commit {shown} ({reason})", command=f"git log --oneline -- {path}")
    try:
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="data")  # no links out of the folder, no devices
    except tarfile.TarError as error:
        raise DataMissing(f"{path} of commit {shown} cannot be unpacked ({one_line(str(error))})") from None
    return folder / path


def _git(*words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["git", "--literal-pathspecs", *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise DataMissing("git is not installed, and NAME@COMMIT needs it; expected git on the PATH") from None


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the first line that a program wrote to its stderr."""
    return one_line((done.stderr.decode(errors="replace").strip().splitlines() or [""])[0])


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def agreed(question: str) -> bool:
    """Ask on a terminal; return whether the answer is yes. Without a terminal it is no."""
    if not sys.stdin.isatty():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
