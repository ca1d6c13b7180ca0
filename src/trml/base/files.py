"""Say what a path is before it is opened: a pipe would wait for ever, and a device never ends."""

import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def not_a_file(path: Path) -> str | None:
    """Return what a path is instead of a regular file, as in `is a folder`; None for a file and a link to one."""
    link = ""
    try:
        link = "a link to " if stat.S_ISLNK(path.lstat().st_mode) else ""
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "is a link to a file that is missing" if link else "is missing"
    except (OSError, ValueError) as error:  # a loop of links, a name that is too long or has a NUL
        return f"cannot be opened ({error.strerror if isinstance(error, OSError) else error})"
    return None if stat.S_ISREG(mode) else f"is {link}{_KINDS.get(stat.S_IFMT(mode), 'a special file')}"


def leads_out(path: Path, folder: Path) -> bool:
    """Return whether a path, links followed, is outside a folder, which may be a link itself."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that is too long or has a NUL
        return True


def not_to_replace(path: Path) -> str | None:
    """Return what a path is if a new file must not take its place: anything but a regular file or nothing."""
    kind = not_a_file(path)
    if kind == "is missing":
        return None
    return "is a link" if kind is None and path.is_symlink() else kind
