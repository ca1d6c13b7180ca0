"""Recognise files by their first bytes, whatever their name. Servers often send a web page in place of a file."""

from pathlib import Path

_BEGINNINGS = [
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a numpy array (.npy)"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"7z\xbc\xaf'\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"version https://git-lfs", "a pointer to a file of Git LFS, not the file"),
]

_USTAR = slice(257, 262)

_UNKNOWN = "of unknown type"

HEAD = 512  # bytes that suffice

_BY_NAME = {"zip": "a zip archive", "gz": "a gzip file", "tgz": "a gzip file", "csd": "an HDF5 file", "csv": "a table"}


def content_of(path: Path) -> str:
    """Return what a file is, in words: `a zip archive`."""
    with path.open("rb") as file:
        return described(file.read(HEAD))


def may_be_pickle(content: str) -> bool:
    """Return whether a file that `content_of` describes can be a pickle: protocols 0 and 1 have no mark."""
    return content == "a pickle" or content.startswith(_UNKNOWN)


def described(head: bytes) -> str:
    """Return what a file is, in words, by its first HEAD bytes."""
    if not head:
        return "an empty file"
    for beginning, words in _BEGINNINGS:
        if head.startswith(beginning):
            return words
    if head[_USTAR] == b"ustar":
        return "a tar archive"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page"
    if head[0] == 0x80 and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle"
    return f"{_UNKNOWN} (it begins with {head[:8]!r})"


def wrong_content(name: str, head: bytes) -> str | None:
    """Return what a file is instead of what its name says, by its first bytes; None if they do not disagree."""
    expected, content = _BY_NAME.get(name.rpartition(".")[2].lower()), described(head)
    if not head:
        return "is empty"
    if expected is None or content == expected:
        return None
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    if expected == "a table" and content.startswith(_UNKNOWN) and not markup and b"\0" not in head:
        return None
    return f"is {'a web page' if markup else content}, not {expected}"
