"""Run the command in this process."""

from typing import NamedTuple

from trml.cli.group import command
from trml.cli.main import main


class Ended(NamedTuple):
    """How a verb ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


def ended(capsys, *arguments) -> Ended:
    """Run a verb to its end."""
    code = 0
    capsys.readouterr()
    try:
        main([str(each) for each in arguments])
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    return Ended(code, printed.out, printed.err)


def parses(words) -> None:
    """Parse the words of a command after `trml`, and run nothing; a wrong one raises typer's error."""
    command(words[0]).make_context(words[0], list(words[1:]))
