"""Read text files from outside whole, within the budget. A sparse file states any size and takes no disk."""

import codecs
from pathlib import Path

from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.sources.formats import limits

# A mark of UTF-32 starts with one of UTF-16.
_OTHERS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def utf8_of(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises:
        ContractError: If it is no file, larger than the budget, or not UTF-8 text; the message has the line.
    """
    content = _bytes_of(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With a byte order mark, the decoder counts from behind it.
        at = error.start + (3 if content.startswith(codecs.BOM_UTF8) else 0)
        line = content[:at].count(b"\n") + 1
        raise ContractError(
            f"{path} line {line}: byte 0x{content[at]:02x} is not UTF-8. Save it as UTF-8, for example "
            "from Windows-1252: iconv -f CP1252 -t UTF-8"
        ) from None


def text_of(path: Path) -> tuple[str, bool]:
    """Return the text of a file without a byte order mark, and whether it is UTF-8.

    Other text is read as Windows-1252, with U+FFFD for bytes that are no character of it.

    Raises:
        ContractError: If it is no file, larger than the budget, UTF-16, or has a NUL; the message has the line.
    """
    content = _bytes_of(path)
    try:
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), False


def _bytes_of(path: Path) -> bytes:
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a text file")
    if (size := path.stat().st_size) > limits.TEXT:
        raise ContractError(f"{path} has {size / 1e6:,.0f} MB; expected at most {limits.TEXT / 1e6:,.0f} MB of text")
    content = path.read_bytes()
    other = next((name for mark, name in _OTHERS.items() if content.startswith(mark)), None)
    if other:
        raise ContractError(f"{path} is {other}; expected UTF-8: iconv -f {other} -t UTF-8")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise ContractError(f"{path} line {line}: it holds a NUL byte; expected text. It is damaged, or no text file")
    return content
