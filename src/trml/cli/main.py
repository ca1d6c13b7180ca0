"""The entry point of `trml`: its parser, and the end of every error.

Verbs import what they run inside, so that `--help` starts in under 0.2 s and only what computes imports torch.
"""

import argparse
import errno
import os
import signal
import sys
from pathlib import Path

from trml import __version__
from trml.base.checkout import refuse_other_source
from trml.base.commands import run_again
from trml.base.errors import TrmlError
from trml.cli import citing, configuration, data, features, predicting, results, sharing, tracing, training, verifying

_DESCRIPTION = """Benchmark sentiment models when text, vision or audio is missing.

`make results` runs the whole benchmark. These are its single steps, and tools for your own data."""

_EXAMPLES = """examples:
  trml compose                          write params.yaml, the configuration
  trml plan                             list what is done and what is to do
  trml check ../my_posts                validate your own data
  trml cite                             print BibTeX for everything in use
  trml gc --dry-run                     list what of work/ is no longer needed
  trml VERB --help                      options and examples of a verb

Resume an interrupted run, or apply a change: snakemake --cores all"""

_BROKEN_PIPE = 128 + signal.SIGPIPE  # what a shell reports of a program that SIGPIPE ends


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command and all its verbs."""
    command = argparse.ArgumentParser(
        prog="trml",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--version", action="version", version=f"trml {__version__}")
    verbs = command.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
    for stage in (configuration, data, features, training, results, verifying, tracing, predicting, sharing, citing):
        stage.register(verbs)
    return command


def main(argv: list[str] | None = None) -> None:
    """Run a verb. Errors that a user can fix end in their message and exit code 1."""
    signal.signal(signal.SIGINT, _stop)
    sys.path.append(os.getcwd())  # noqa: PTH109  a third party's method may lie beside the project
    verb = "trml"
    try:
        try:
            arguments = parser().parse_args(argv)
            verb = f"trml {arguments.verb}"
            refuse_other_source()
            arguments.run(arguments)
        finally:
            sys.stdout.flush()  # here, where a broken pipe is caught, and not when python exits
    except TrmlError as error:
        sys.exit(f"{verb}: {error}")
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that python's own flush at exit succeeds
        sys.exit(_BROKEN_PIPE)
    except OSError as error:
        sys.exit(f"{verb}: {_explain(error)}")


def _stop(number: int, frame: object) -> None:
    """End a verb at once on Ctrl-C, as a kill may: files appear whole or not at all.

    Training has more to lose and installs a handler of its own. KeyboardInterrupt would not do: in the middle of an
    import it may come out as any other error.
    """
    sys.stderr.write("trml: stopped; finished work is kept\n")
    sys.stderr.flush()
    os._exit(128 + number)


def _explain(error: OSError) -> str:
    """Return a message for errors about files that a user can fix; raise everything else again."""
    path = Path(str(error.filename))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full; finished work is kept. Free some space and resume with: {run_again()}"
    if isinstance(error, FileNotFoundError) and "work" in path.parts:
        return f"{path} is absent. Remove {path.parent} and run: {run_again()}"
    if isinstance(error, FileNotFoundError):
        return f"{path} is absent. Put it there, or set data=<folder of the corpora>"
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError) or error.errno == errno.EROFS:
        return f"{path} cannot be written ({error.strerror}). Fix its permissions, or set data=<a writable folder>"
    raise error
