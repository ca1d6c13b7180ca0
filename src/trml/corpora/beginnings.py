"""Whether a file begins as its name says. Servers send pages with "not found" or "log in" where a file was."""

HEAD = 512  # bytes that are enough to tell
_BINARY = {
    "zip": ("a zip archive", (b"PK\x03\x04", b"PK\x05\x06")),
    "gz": ("a gzip file", (b"\x1f\x8b",)),
    "tgz": ("a gzip file", (b"\x1f\x8b",)),
    "csd": ("an HDF5 file", (b"\x89HDF\r\n\x1a\n",)),
}


def wrong_content(name: str, head: bytes) -> str | None:
    """What a file is instead of what its name says, by its first bytes; None where nothing speaks against it."""
    suffix = name.rpartition(".")[2].lower()
    expected, beginnings = _BINARY.get(suffix, ("a table", ()))
    if not head:
        return "is empty"
    if suffix not in (*_BINARY, "csv") or (beginnings and head.startswith(beginnings)):
        return None
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return f"is a web page, not {expected}"
    if beginnings or b"\0" in head:
        return f"is not {expected}: it begins with {head[:8]!r}"
    return None
