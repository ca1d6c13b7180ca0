"""Names in files from outside that become paths: what they must not be, wherever they come from."""

import re

_LONGEST, _LONGEST_PART = 1024, 240  # bytes; file systems take 255 a part, and unfinished files have longer names


def unsafe_path(name: str) -> str | None:
    """Return why a name with `/` between its parts is no path below a folder; None if it is one."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if "\\" in name:
        return "a path with backslashes"
    if ".." in parts:
        return "a path that leads out of the folder"
    if not name or any(ord(c) < 32 or ord(c) == 127 or "\ud800" <= c <= "\udfff" for c in name):
        return "a name that is empty, not UTF-8, or has control characters"
    if len(name.encode()) > _LONGEST or any(len(part.encode()) > _LONGEST_PART for part in parts):
        return "a name that is too long"
    return None


def unsafe_file(name: str) -> str | None:
    """Return why a name is not one of a file in a folder; None if it is one."""
    if "/" in name:
        return "a path; expected a name without folders"
    return "a name of dots" if name and not name.strip(".") else unsafe_path(name)
