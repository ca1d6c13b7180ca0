"""The commands that pages show, and whether the programs would take them."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from conftest import ROOT

# Programs whose commands are looked at. Other lines of a block are output.
CHECKED = ("trml", "make", "snakemake", "dvc", "python", "pre-commit")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHELL = ("", "sh", "bash")
_INDENTED = re.compile(r"^    ((?:trml|make|snakemake|dvc) .*)$", re.MULTILINE)
_INLINE = re.compile(r"`((?:trml|make) [a-z][^`]*)`")
_NEXT = ("&&", "||", ";", "|", ">", ">>", "<", "2>&1")


class Command(NamedTuple):
    """A command on a page: its words, without what follows a pipe."""

    page: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.name}: {shlex.join(self.words)}"


def commands(page: Path) -> list[Command]:
    """Return the commands of a page's blocks."""
    text = page.read_text()
    fenced = [block for language, block in _FENCED.findall(text) if language in _SHELL]
    fenced += [_typed(block) for language, block in _FENCED.findall(text) if language == "console"]
    blocks = [*fenced, *_INDENTED.findall(_FENCED.sub("", text))]
    lines = (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [Command(page, words) for line in lines for words in _split(line)]


def _typed(session: str) -> str:
    """Return the commands of a session: what follows a prompt. All else is output (tools/console.py)."""
    return "\n".join(line for line in session.splitlines() if line.startswith("$ "))


def mentioned(page: Path) -> list[Command]:
    """Return the commands that a page's sentences name, with something after the verb or target."""
    found = (" ".join(inline.split()) for inline in _INLINE.findall(_FENCED.sub("", page.read_text())))
    return [Command(page, words) for inline in found for words in _split(inline)]


def _split(line: str) -> Iterator[tuple[str, ...]]:
    try:
        words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:  # output with a lone quote
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if word in _NEXT:
            yield from _checked(command)
            command = []
        else:
            command.append(word)


def _checked(words: list[str]) -> Iterator[tuple[str, ...]]:
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # of the environment
        words = words[1:]
    is_message = len(words) > 1 and words[1].endswith(":")  # `trml check: there is no ...`
    if words and words[0] in CHECKED and not is_message:
        yield tuple(words)


def is_template(words: tuple[str, ...]) -> bool:
    """Return whether a reader has to fill something in."""
    return any(re.search(r"<.*>|\.\.\.|\b[A-Z][A-Z_]+\b(?!=)", word) for word in words[1:])


# --- whether a program would take a command: None, or why not ---


def refused_by_trml(words: tuple[str, ...]) -> str | None:
    """Parse a command as `trml` does, without running it."""
    from typer import Exit
    from typer._click.exceptions import ClickException

    from trml.cli.group import command
    from trml.cli.verbs import VERBS

    if words[1:] and words[1] not in VERBS:
        return "trml has no such verb"
    try:
        command(words[1]).make_context(words[1], list(words[2:])) if words[1:] else None
    except Exit:  # of --help
        return None
    except ClickException as error:
        return f"trml does not parse it: {error.format_message()}"
    return None


@cache
def targets() -> set[str]:
    """Return the targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def variables() -> set[str]:
    """Return the variables of the Makefile that a user may set."""
    return set(re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE))


def refused_by_make(words: tuple[str, ...]) -> str | None:
    """Check targets, variables, and the experiment."""
    named = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    unknown = {word for word in words[1:] if "=" not in word} - targets() | named.keys() - variables()
    experiment = named.get("EXPERIMENT", "pantomime")
    if unknown:
        return f"the Makefile has no {', '.join(sorted(unknown))}"
    if experiment.islower() and not (ROOT / "config" / "experiment" / f"{experiment}.yaml").is_file():
        return f"there is no experiment {experiment}"
    return None


@cache
def _snakemake():
    from snakemake.cli import get_argument_parser

    return get_argument_parser()


def refused_by_snakemake(words: tuple[str, ...]) -> str | None:
    """Parse a command as Snakemake does, and look for the profile."""
    profile = words[words.index("--workflow-profile") + 1] if "--workflow-profile" in words else "profiles"
    if not (ROOT / profile).is_dir():
        return f"there is no {profile}"
    return _parsed(_snakemake(), words)


@cache
def _dvc():
    from dvc.cli.parser import get_main_parser

    return get_main_parser()


def refused_by_dvc(words: tuple[str, ...]) -> str | None:
    """Parse a command as DVC does."""
    return _parsed(_dvc(), words)


def _parsed(parser, words: tuple[str, ...]) -> str | None:
    try:
        parser.parse_args(list(words[1:]))
    except (SystemExit, Exception) as error:
        return f"{words[0]} does not parse it: {error}"
    return None


def refused_by_python(page: Path, words: tuple[str, ...]) -> str | None:
    """Look for the script, in the repository or among what the page says to save."""
    script = next((word for word in words[1:] if word.endswith(".py")), None)
    saved = script and f"`{script}`" in page.read_text()
    if script and not saved and not (ROOT / script).is_file():
        return f"there is no {script}"
    return None


def refused(command: Command) -> str | None:
    """Return why a program would not take a command, None if it would."""
    program, words = command.words[0], command.words
    if program == "trml":
        return refused_by_trml(words)
    if program == "make":
        return refused_by_make(words)
    if program == "snakemake":
        return refused_by_snakemake(words)
    if program == "dvc":
        return refused_by_dvc(words)
    if program == "python":
        return refused_by_python(command.page, words)
    return None


def overrides(words: tuple[str, ...]) -> list[str] | None:
    """Return the overrides that a command composes; None if it composes nothing."""
    named = dict(word.split("=", 1) for word in words[1:] if re.match(r"[A-Z]+=", word))
    if words[:2] == ("trml", "compose"):
        stop = words.index("--output") if "--output" in words else len(words)
        return None if "--keys" in words else [word for word in words[2:stop] if not word.startswith("--")]
    if words[0] == "make" and named.keys() & {"EXPERIMENT", "DATA", "SET"} and "FROM" not in named:
        experiment = [f"experiment={named['EXPERIMENT']}"] if "EXPERIMENT" in named else []
        return [*experiment, *shlex.split(named.get("SET", ""))]
    return None
