"""The verb cite."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trml.base.commands import params_file
from trml.base.errors import ConfigError, DataMissing
from trml.base.files import not_a_file
from trml.cli.common import CHECKOUT, Json, Params, Result, examples, opened
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.planning.bibliography import Cited


@examples(
    "  trml cite                     for the configuration in force\n"
    "  trml cite pantomime_full      for published results\n"
    "  trml cite > trml.bib"
)
def cite(result: Result = None, params: Params = None, as_json: Json = False) -> None:
    """Print BibTeX for everything that a result or the configuration uses, with licences and terms.

    Lines that start with % say what an entry is for. BibTeX ignores them, so the output is a .bib file.
    """
    from trml.config.load import load
    from trml.planning.bibliography import cited

    if result:
        with opened(result) as folder:
            found = _of_result(folder)
    else:
        path = Path(params or params_file())
        if params is None and not_a_file(path) == "is missing":
            raise DataMissing(
                f"{path} does not exist in {Path.cwd()}, so nothing is in force", command="trml cite RESULT"
            )
        found = cited(load(path))
    parts = [{"what": each.what, "entries": dict(each.entries), "remarks": list(each.remarks)} for each in found]
    own = list(_own())
    emit("cite", {"own": own[1] if own else None, "parts": parts}, [*own, *_lines(found)], as_json=as_json)


def _of_result(folder: Path) -> "list[Cited]":
    """Return what published results cite. Raises ConfigError for results of another version."""
    from trml.config.load import load
    from trml.planning.bibliography import cited
    from trml.report.result_files import params_of

    path = folder / "params.yaml"
    if not params_of(folder):
        raise DataMissing(f"{path} is absent; expected it of published results")
    try:
        return cited(load(path))
    except ConfigError as error:
        raise ConfigError(f"{path} has settings of another version ({error}). Cite a newer result: trml cite") from None


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
