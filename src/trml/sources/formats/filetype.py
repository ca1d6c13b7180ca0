"""What a file is by its first bytes, whatever its name says. Servers send pages with "not found" or "log in" where a
file was."""

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

HEAD = 512  # bytes that are enough to tell

_BY_NAME = {"zip": "a zip archive", "gz": "a gzip file", "tgz": "a gzip file", "csd": "an HDF5 file", "csv": "a table"}


def content_of(path: Path) -> str:
    """In words, as `a zip archive`."""
    with path.open("rb") as file:
        return described(file.read(HEAD))


def may_be_pickle(content: str) -> bool:
    """Whether what `content_of` says can be a pickle: those of protocols 0 and 1 begin with anything."""
    return content == "a pickle" or content.startswith("something")


def described(head: bytes) -> str:
    """The same of the first HEAD bytes."""
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
    return f"something that begins with {head[:8]!r}"


def wrong_content(name: str, head: bytes) -> str | None:
    """What a file is instead of what its name says, by its first bytes; None where nothing speaks against it."""
    expected, found = _BY_NAME.get(name.rpartition(".")[2].lower()), described(head)
    if not head:
        return "is empty"
    if expected is None or found == expected:
        return None
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    if expected == "a table" and found.startswith("something") and not markup and b"\0" not in head:
        return None
    return f"is {'a web page' if markup else found}, not {expected}"
