"""The clips that a table names: where they are, or why there is none."""

from math import isfinite
from pathlib import Path, PurePosixPath, PureWindowsPath

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})

MEDIA = PICTURES | {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".flv", ".wmv"}


class Clips:
    """The files below a folder, each looked for once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._root = folder, folder.resolve()
        self._found: dict[str, tuple[str | None, str, bool]] = {}

    def find(self, name: str) -> tuple[str | None, str, bool]:
        """The path below the folder, or None, why not, and whether it leads out of the folder."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> tuple[str | None, str, bool]:
        if not name:
            return None, "", False
        if "://" in name:
            return None, "is an address; expected a file below the folder", False
        if "#" in name or "\0" in name:
            return None, "has a '#' or a NUL in its name, which no clip's name may: rename it", False
        try:
            place = (self._folder / name).resolve()
            if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or not place.is_relative_to(self._root):
                return None, "leads out of the folder; expected a path below it, no link out of it", True
            there = place.is_file()
        except (OSError, RuntimeError):  # longer than any name may be, or a link to itself
            there = False
        if there:
            return name, "", False
        return None, "is not there" + (" (expected / between folders, not \\)" if "\\" in name else ""), False


def is_picture(clip: str) -> bool:
    """Whether a clip (its fragment too) is a picture, by its name."""
    return Path(clip.partition("#")[0]).suffix.lower() in PICTURES


def fragment(path: str | None, start: str, end: str) -> tuple[str | None, tuple[float | None, float | None], str]:
    """The clip as the contract names it, its seconds, and why there is none. A picture has no parts."""
    if path is None or not (start or end) or is_picture(path):
        return path, (None, None), ""
    begin, stop = _seconds(start), _seconds(end)
    if begin is None or stop is None or not 0 <= begin < stop:
        found = f"start_s {start!r}, end_s {end!r}"
        return None, (None, None), f"cannot be cut: {found}; expected seconds, 0 <= start_s < end_s"
    return f"{path}#t={_plain(begin)},{_plain(stop)}", (begin, stop), ""


def _seconds(cell: str) -> float | None:
    try:
        return round(float(cell), 3) if isfinite(float(cell)) else None
    except ValueError:
        return None


def _plain(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
