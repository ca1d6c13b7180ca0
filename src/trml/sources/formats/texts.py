"""Read text files from outside whole, within the budget. A sparse file states any size and takes no disk."""

from pathlib import Path

from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.sources.formats import limits


def text_of(path: Path) -> tuple[str, bool]:
    """Return the text of a file without a byte order mark, and whether it is UTF-8.

    Other text is read as Windows-1252, with U+FFFD for bytes that are no character of it.

    Raises:
        ContractError: If it is no file, larger than the budget, UTF-16, or has a NUL; the message has the line.
    """
    content = bytes_of(path)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContractError(f"{path} is UTF-16; expected UTF-8: iconv -f UTF-16 -t UTF-8")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise ContractError(f"{path} line {line}: it holds a NUL byte; expected text. It is damaged, or UTF-16")
    try:
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), False


def bytes_of(path: Path) -> bytes:
    """Return the bytes of a text file; raise ContractError if it is no file, or larger than the budget."""
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a text file")
    if (size := path.stat().st_size) > limits.TEXT:
        raise ContractError(f"{path} has {size / 1e6:,.0f} MB; expected at most {limits.TEXT / 1e6:,.0f} MB of text")
    return path.read_bytes()
