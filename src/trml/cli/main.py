"""The entry point of `trml`: static help, streams that do not fail, and the end of every error.

`--help` and `--version` import nothing but the table of verbs. Every verb imports what it runs inside its function, so
only what computes imports torch.
"""

import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from trml import __version__
from trml.base.checkout import refuse_other_source
from trml.base.printable import one_line, printable
from trml.cli.ending import Code, Failure, bug, failure
from trml.cli.verbs import HIDDEN, VERBS, help_text

COMPLETE = "_TRML_COMPLETE"  # set by a shell that asks for completions
_HELP = ("--help", "-h")
_REASON = 300  # characters of an error that nobody foresaw; its traceback has all


def main(argv: Sequence[str] | None = None) -> None:
    """Run a verb. End with an exit code (ending.py) unless it is 0."""
    written = [_keep_writing(name) for name in ("stdout", "stderr")]
    signal.signal(signal.SIGINT, _stop)
    try:
        sys.path.append(os.getcwd())  # noqa: PTH109  a third party's method may lie beside the project
        code = outcome(list(sys.argv[1:] if argv is None else argv))
    except FileNotFoundError:
        _say(Failure("the working folder was removed", None, "a folder that exists", None, Code.MISSING), "trml", False)
        code = Code.MISSING
    sys.stdout.flush()
    if written[0] is not None and written[0].fault is not None:
        print(f"trml: the output could not be written ({written[0].fault.strerror})", file=sys.stderr)
        code = code or Code.MISSING
    if code:
        sys.exit(int(code))


def outcome(argv: list[str]) -> int:
    """Run a verb and return its exit code."""
    if COMPLETE in os.environ:
        return _complete()
    if not argv or set(argv) <= {*_HELP, "--all"}:
        print(help_text(everything="--all" in argv))
        return Code.DONE
    if argv == ["--version"]:
        print(f"trml {__version__}")
        return Code.DONE
    verb = f"trml {argv[0]}" if argv[0] in VERBS else "trml"
    try:
        return _run(argv)
    except SystemExit as end:  # of a library; ours return their code
        return end.code if isinstance(end.code, int) else Code.DONE if end.code is None else Code.NO
    except Exception as error:
        found = failure(error) or _misused(error, argv) or _fault(error, verb)
        _say(found, verb, "--json" in argv)
        return found.code


def _complete() -> int:
    """Answer a shell that asks for completions, or for the function that asks."""
    from typer._completion_classes import completion_init

    from trml.cli.group import group

    completion_init()
    group(with_help=False).main(args=[], prog_name="trml", complete_var=COMPLETE, standalone_mode=False)
    return Code.DONE


def _run(argv: list[str]) -> int:
    from trml.cli.group import group

    if not {*_HELP} & {*argv}:
        refuse_other_source()
    code = group().main(args=argv, prog_name="trml", standalone_mode=False)
    return code if isinstance(code, int) else Code.DONE


def _misused(error: Exception, argv: Sequence[str]) -> Failure | None:
    """Return how a wrong command line ends, with the nearest option or verb."""
    from typer import Abort
    from typer._click.exceptions import ClickException, NoSuchOption, UsageError

    if isinstance(error, Abort):
        return Failure("nothing was done", None, None, None, Code.NO)
    if not isinstance(error, ClickException):
        return None
    verb = f" {argv[0]}" if argv[0] in VERBS else ""
    what = error.format_message().rstrip(".")
    if isinstance(error, NoSuchOption):
        from trml.base.nearest import nearest

        known = [name for each in error.ctx.command.params for name in each.opts] if error.ctx else []
        what = f"there is no option {error.option_name}{nearest(error.option_name, known)}"
    elif isinstance(error, UsageError):
        what = what[:1].lower() + what[1:]
    return Failure(what, None, None, f"Options and examples: trml{verb} --help", Code.WRONG)


def _fault(error: Exception, verb: str) -> Failure:
    """Return how a fault of ours ends. A verb of a rule prints the traceback to its log, which Snakemake names."""
    name = verb.removeprefix("trml ")
    if name in VERBS and VERBS[name].group == HIDDEN:
        import traceback

        sys.stderr.write(printable("".join(traceback.format_exception(error))))
        where = "see above"
    else:
        where = f"its traceback is in {bug(error)}"
    reason = one_line((str(error).strip().splitlines() or [""])[0][:_REASON])
    what = f"a fault of trml ({type(error).__name__}: {reason}); {where}"
    return Failure(what, None, None, "Please report it with that file", Code.BUG)


def _say(found: Failure, verb: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found.document(), indent=1))
    print(printable(found.words(verb)), file=sys.stderr)  # errors of libraries quote files, too


def _stop(number: int, frame: object) -> None:
    """End a verb at once on Ctrl-C, as a kill may: files appear whole or not at all.

    Training and `trml run` have more to lose and install handlers of their own. KeyboardInterrupt would not do: in the
    middle of an import it may come out as any other error.
    """
    sys.stderr.write("trml: stopped; finished work is kept\n")
    sys.stderr.flush()
    os._exit(Code.INTERRUPTED)


class _Unread(io.FileIO):
    """A file descriptor whose reader may leave, as `head` does: what it does not read is dropped.

    fault: Why something was dropped that somebody may have wanted: a disk that is full.
    """

    fault: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or drop what nobody reads or what cannot be written."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return len(data)
        except OSError as error:
            self.fault = error
            return len(data)


def _keep_writing(name: str) -> _Unread | None:
    """Make printing never fail: not on a closed pipe, no stream at all, or a terminal without the character.

    Return what knows whether all was written, None for a stream of somebody else.
    """
    stream = getattr(sys, name)
    if stream is None:  # closed by the shell: `>&-`
        setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123
    elif stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
        stream.flush()
        raw = _Unread(stream.fileno(), "w", closefd=False)
        buffered = io.BufferedWriter(raw)
        setattr(
            sys,
            name,
            io.TextIOWrapper(
                buffered, stream.encoding, "replace", line_buffering=name == "stderr" or stream.line_buffering
            ),
        )
        return raw
    return None
