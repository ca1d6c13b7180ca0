"""The typer group of all verbs, which imports the module of a verb when it is asked for."""

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from typer import _click as click
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from trml.base.nearest import nearest
from trml.cli.verbs import HIDDEN, VERBS, help_text

_HELP = {"help_option_names": ["-h", "--help"]}


class VerbCommand(TyperCommand):
    """A verb whose options may take several values in a row, as `--only cells features`."""

    many: Sequence[str] = ()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat such an option before each of its values, the form that typer knows."""
        return super().parse_args(ctx, _repeated(args, self.many))


def _repeated(args: Sequence[str], many: Sequence[str]) -> list[str]:
    spread: list[str] = []
    option = ""
    for word in args:
        if word.startswith("--"):
            option = word if word in many else ""
            spread += [] if option else [word]
        else:
            spread += [option, word] if option else [word]
    return spread


class Verbs(TyperGroup):
    """All verbs: listed without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs that the help shows."""
        return [name for name, verb in VERBS.items() if verb.group != HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, importing its module."""
        return command(cmd_name) if cmd_name in VERBS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that the first word names; suggest the nearest one for a slip."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"there is no verb {args[0]!r}{nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Return the verbs that start so, from the table alone."""
        item = click.shell_completion.CompletionItem
        return [item(name, help=VERBS[name].summary) for name in self.list_commands(ctx) if name.startswith(incomplete)]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the static help."""
        formatter.write(help_text() + "\n")


def group(*, with_help: bool = True) -> Verbs:
    """Return the command `trml`; without the option --help, whose parsing imports pydantic, completions come sooner."""
    return Verbs(name="trml", rich_markup_mode=None, context_settings=_HELP, add_help_option=with_help)


def command(name: str) -> click.Command:
    """Return one verb: its function's docstring is its help, what `examples` gave it comes after the options."""
    verb = VERBS[name]
    function: Callable[..., Any] = getattr(import_module(f"trml.cli.{verb.module}"), name)
    info = CommandInfo(
        name=name,
        cls=VerbCommand,
        callback=function,
        help=inspect.getdoc(function),
        epilog=f"\b\nexamples:\n{function.examples}" if hasattr(function, "examples") else None,
        context_settings=_HELP,
        hidden=verb.group == HIDDEN,
    )
    made = get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)
    assert isinstance(made, VerbCommand)
    made.many = getattr(function, "many", ())
    return made
