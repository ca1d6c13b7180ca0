"""The verb cite."""

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trml.base.errors import ConfigError
from trml.cli.common import CHECKOUT, Verbs, add_params, add_verb, result_folder

if TYPE_CHECKING:
    from trml.planning.bibliography import Cited


def cite(arguments: argparse.Namespace) -> None:
    """Print BibTeX for everything that a result or the configuration uses, with licences and terms.

    Lines that start with % say what an entry is for. BibTeX ignores them, so the output is a .bib file.
    """
    from trml.config.load import load
    from trml.planning.bibliography import cited

    path = result_folder(arguments.result) / "params.yaml" if arguments.result else Path(arguments.params)
    try:
        params = load(path)
    except ConfigError as error:
        raise ConfigError(f"{path} has settings of another version ({error}). Cite a newer result: trml cite") from None
    print("\n".join([*_own(), *_lines(cited(params))]))


def _own() -> Iterator[str]:
    import yaml

    from trml.planning.bibliography import own_entry

    path = CHECKOUT / "CITATION.cff"
    if path.is_file():
        yield from ("% this benchmark", own_entry(yaml.safe_load(path.read_text())), "")


def _lines(components: "list[Cited]") -> Iterator[str]:
    """Yield every component with its entries; an entry that came before is named."""
    known: set[str] = set()
    for what, entries, remarks in components:
        repeated = [key for key in entries if key in known]
        yield f"% {what}" if entries else f"% {what}: no publication of its own"
        for remark in (*remarks, *([f"See {', '.join(repeated)} above."] if repeated else [])):
            yield from textwrap.wrap(remark, 100, initial_indent="%   ", subsequent_indent="%   ")
        yield from (entry for key, entry in entries.items() if key not in known)
        yield ""
        known.update(entries)


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    verb = add_verb(
        verbs,
        cite,
        "  trml cite                     for the configuration in force\n"
        "  trml cite pantomime_full      for published results\n"
        "  trml cite > trml.bib",
    )
    verb.add_argument("result", nargs="?", metavar="RESULT", help="a name below results/, or a folder (default: none)")
    add_params(verb)
