"""Find the raw files of a corpus, which stay where they are in data/<folder>."""

from collections.abc import Sequence
from pathlib import Path

from trml.base.commands import fetch_again
from trml.base.errors import ContractError, DataMissing
from trml.base.files import leads_out
from trml.base.printable import few

_SHOWN = 3  # names in a message


def find_files(name: str, data: Path, folder: str, pattern: str, otherwise: str = "") -> list[Path]:
    """Return the files that match data/folder/pattern, sorted, without macOS's `._*`.

    Args:
        name: The corpus, for messages.
        data: The folder of corpora.
        folder: The corpus's own, below `data`.
        pattern: A glob pattern below that.
        otherwise: Another remedy, which ends the message.

    Raises:
        DataMissing: If nothing matches. The message says what is there instead, and what to do.
        ContractError: If one leads out of the corpus's folder, by a link of its own or of a folder in it. The corpus's
            folder itself may be a link, and so may those on the way to it.
    """
    files = sorted(path for path in (data / folder).glob(pattern) if path.is_file() and not path.name.startswith("._"))
    if not files:
        raise DataMissing(
            f"corpus {name}: nothing matches {data / folder / pattern}; {_held_instead(data / folder, pattern)}. "
            f"Fetch the corpus ({fetch_again()}) or put its raw layout there (docs/real_corpora.md){otherwise}"
        )
    _refuse_links_out(data / folder, files)
    return files


def _refuse_links_out(root: Path, files: Sequence[Path]) -> None:
    places = {parent: leads_out(parent, root) for parent in {path.parent for path in files}}
    for path in files:
        if places[path.parent] or (path.is_symlink() and leads_out(path, root)):
            raise ContractError(
                f"{path} is a link out of {root}, which is not followed. Copy it there, or let that folder be the link"
            )


def _held_instead(root: Path, pattern: str) -> str:
    """Return what the deepest existing folder on the way to the pattern holds."""
    place = root
    for part in Path(pattern).parts[:-1]:
        if not (place / part).is_dir():
            break
        place /= part
    if not place.is_dir():
        return f"the folder {place} is absent"
    held = sorted(path.name for path in place.iterdir())
    return f"{place} holds {first_of(held)}" if held else f"{place} is empty"


def first_of(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    return few(names, _SHOWN)
