"""How a verb ends: its exit code, and a failure in three lines or as JSON."""

import errno
import os
import re
import shutil
import tempfile
import time
import traceback
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from trml import __version__
from trml.base import errors
from trml.base.commands import run_again
from trml.base.errors import TrmlError
from trml.base.extras import import_failed
from trml.base.printable import one_line


class Code(IntEnum):
    """The exit codes; MEANINGS and docs/command.md say when."""

    DONE = 0
    NO = 1
    WRONG = 2
    MISSING = 3
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS = {
    Code.DONE: "done, or the answer is yes",
    Code.NO: "the answer is no (check, verify, submit), or a stage failed",
    Code.WRONG: "the command line or the configuration is wrong",
    Code.MISSING: "a file, accepted terms, disk space, the network or write access is missing",
    Code.BUG: "a fault of trml; the message names the file with its traceback",
    Code.INTERRUPTED: "stopped by Ctrl-C; finished work is kept",
    Code.TERMINATED: "stopped by a signal; finished work is kept",
}

# Of other errors that a user can fix: NO.
_CODES: dict[type[TrmlError], Code] = {
    errors.ConfigError: Code.WRONG,
    errors.CommandError: Code.WRONG,
    errors.DataMissing: Code.MISSING,
    errors.TermsNotAccepted: Code.MISSING,
    errors.FetchFailed: Code.MISSING,
    errors.WeightsMissing: Code.MISSING,
    errors.NotBuilt: Code.MISSING,
    errors.PackageMissing: Code.MISSING,
    errors.Interrupted: Code.INTERRUPTED,
}
_MOST = 160  # letters of a path in a message
_PROGRAMS = r"trml|snakemake|make|dvc|git|\S*python[\d.]*"
# The end of a message that names a command, with the sentence before it: `. Make them: trml run`.
_COMMAND = re.compile(rf"(?s)^(.*?)(?:[.;]\s+|\n|: )((?:(?![.;]\s)[^\n])*?):\s+((?:{_PROGRAMS})\b[^\n]*)$")


@dataclass(frozen=True)
class Failure:
    """Why a verb ends without what it was asked for.

    Attributes:
        what: What is wrong, in a line or several.
        where: The file, key or value that it is about, if the message starts with one.
        expected: What was expected instead.
        next: The command to run next.
        code: The exit code.
    """

    what: str
    where: str | None
    expected: str | None
    next: str | None
    code: Code

    def words(self, verb: str) -> str:
        """Return it in three lines: what, what was expected, the next command."""
        expected = f"Expected {self.expected}" if self.expected else ""
        return "\n".join(filter(None, (f"{verb}: {self.what}", expected, self.next)))

    def document(self) -> dict[str, Any]:
        """Return it as the JSON document of a verb that fails."""
        about = {"what": self.what, "where": self.where, "expected": self.expected, "next": self.next}
        return {"trml": __version__, "kind": "error", "schema": 1, **about, "code": int(self.code)}


def failure(error: Exception) -> Failure | None:
    """Return how an error ends a verb; None for a fault of ours."""
    if isinstance(error, TrmlError):
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), Code.NO)
        return _of_words(error, code)
    if isinstance(error, ModuleNotFoundError) and (lacking := import_failed(error)):
        return _of_words(lacking, Code.MISSING)
    if isinstance(error, OSError) and (words := _explain(error)):
        return _of_words(TrmlError(words), Code.MISSING)
    return None


def _of_words(error: TrmlError, code: Code) -> Failure:
    """Take a message apart, unless whoever raised it did."""
    if error.expected or error.command:
        return Failure(error.what, _where(error.what), error.expected or None, error.command or None, code)
    what, following = str(error), _settings(error)
    if match := _COMMAND.match(what):
        what, following = match[1], f"{match[2].strip()}: {match[3]}"
    # Each line of a list of faults says what was expected in it; the first one's is not that of all.
    what, _, expected = what.partition("; expected ") if "\n" not in what else (what, "", "")
    return Failure(what.rstrip(". "), _where(what), expected or None, following, code)


def _settings(error: TrmlError) -> str | None:
    """Return the command that lists the settings beside one that is unknown."""
    if not isinstance(error, errors.ConfigError):
        return None
    # Of the name that is suggested, if any: the one that was given may be wrong in any part.
    found = re.search(r"is unknown; did you mean '([\w.]+)\.\w+'", str(error))
    found = found or re.match(r"(?:\S+: )?([\w.]+)\.\w+ is unknown", str(error))
    return f"Settings: trml compose --keys {found[1]}" if found else None


def _where(what: str) -> str | None:
    """Return the file or dotted key that a message starts with."""
    word = re.split(r"[\s:,]", what, maxsplit=1)[0]
    return word if re.search(r"[/.\[]", word.rstrip(".")) else None


def _explain(error: OSError) -> str | None:
    """Return a message for errors about files that a user can fix: all that name a file; None for others."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full; finished work is kept. Free some space and resume with: {run_again()}"
    if error.filename is None:
        return _uncopied(error) if isinstance(error, shutil.Error) else None
    path, shown = Path(os.fsdecode(error.filename)), _shown(error.filename)
    if isinstance(error, FileNotFoundError):
        return _absent(path, shown)
    if error.errno == errno.EROFS:
        return (
            f"cannot create {shown} in {Path.cwd()}: read-only file system. Run elsewhere: trml run --into <folder>   "
            "Read only: trml show"
        )
    is_access = isinstance(error, PermissionError | FileExistsError)
    way = "Fix its permissions, or set data=<a writable folder>" if is_access else "Name another file or folder"
    return f"{shown} cannot be {'written' if is_access else 'opened'} ({error.strerror}). {way}"


def _uncopied(error: shutil.Error) -> str:
    """Return a message about a folder that could not be copied: shutil lists what, and why."""
    found = error.args[0] if error.args else "no reason"
    path, *_, reason = found[0] if isinstance(found, list) and found else ("a file", str(found))
    return f"{_shown(path)} cannot be copied ({_shown(reason)}); expected files that can be read"


def _absent(path: Path, shown: str) -> str:
    """Return a message about a path that does not exist."""
    if "work" in path.parts:
        return f"{shown} is absent. Remove {_shown(path.parent)} and run: {run_again()}"
    return f"{shown} is absent. Put it there, or set data=<folder of the corpora>"


def _shown(path: object) -> str:
    """Return a path for a message: names that are too long for the system end here too."""
    words = one_line(os.fsdecode(path) if isinstance(path, bytes) else str(path))
    return words if len(words) <= _MOST else f"{words[:_MOST]}…"


def bug(error: BaseException) -> Path:
    """Write the traceback of a fault of ours, and return the file: in work/logs, or where that cannot be written."""
    text = "".join(traceback.format_exception(error))
    name = f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (Path("work/logs"), Path(tempfile.gettempdir())):
        try:
            if folder.parent.is_dir():
                folder.mkdir(exist_ok=True)
                (folder / name).write_text(text)
                return folder / name
        except OSError:
            continue
    return Path(os.devnull)
