"""Find the clips that a table names, or say why a clip cannot be used."""

from pathlib import Path, PurePosixPath, PureWindowsPath

from PIL import UnidentifiedImageError

from trml.base.errors import ClipUnreadable
from trml.base.files import not_a_file
from trml.base.printable import shortened
from trml.sources.formats.media_fragment import with_part
from trml.sources.formats.numbers import SECONDS, seconds
from trml.sources.formats.open_media import DAMAGE, open_picture

# Usual suffixes, by which files are suggested. What a file is, its bytes decide.
MEDIA = frozenset({
    ".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff",
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".ogv",
})  # fmt: skip


class Clips:
    """The clips below a folder. Each is looked for once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._root = folder, folder.resolve()
        self._results: dict[str, tuple[str | None, str, bool]] = {}
        self._pictures: dict[str, bool] = {}

    def find(self, name: str) -> tuple[str | None, str, bool]:
        """Return the path below the folder (None without a clip), why not, and if it leads out of the folder."""
        if name not in self._results:
            self._results[name] = self._find(name) if name else (None, "", False)
        return self._results[name]

    def _find(self, name: str) -> tuple[str | None, str, bool]:
        if "://" in name:
            return None, "is a URL; expected a file below the folder", False
        if "#" in name or "\0" in name:
            return None, "has a '#' or a NUL in its name; rename it", False
        try:
            place = (self._folder / name).resolve()
            if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or not place.is_relative_to(self._root):
                return None, "leads out of the folder; expected a path below it, not a link out of it", True
            kind = not_a_file(place)
        except (OSError, RuntimeError):  # a name that is too long, or a link to itself
            kind = "is missing"
        if kind is None:
            return name, "", False
        if kind == "is missing" or kind.startswith("cannot be opened"):
            return None, "does not exist" + (" (expected / between folders, not \\)" if "\\" in name else ""), False
        return None, f"{kind}; expected a file", False

    def cut(self, path: str | None, start: str, end: str) -> tuple[str | None, tuple[float | None, float | None], str]:
        """Cut a clip by the cells of its start and end. A picture has no parts.

        Returns:
            The clip as the corpus's table names it (None if it cannot be cut), its seconds, and why it cannot be cut.
        """
        if path is None or not (start or end) or self._is_picture(path):
            return path, (None, None), ""
        begin, stop = _seconds(start), _seconds(end)
        if begin is None or stop is None or not 0 <= begin < stop:
            cells = f"start_s {shortened(start)}, end_s {shortened(end)}"
            return None, (None, None), f"cannot be cut: {cells}; expected seconds, 0 <= start_s < end_s <= {SECONDS:,}"
        return with_part(path, begin, stop), (begin, stop), ""

    def _is_picture(self, path: str) -> bool:
        """Return whether a clip is a picture, by its bytes: a video may be named like one, and then it has parts."""
        if path not in self._pictures:
            try:
                with open_picture(self._folder / path):
                    self._pictures[path] = True
            except UnidentifiedImageError:
                self._pictures[path] = False
            except (*DAMAGE, ClipUnreadable):  # a damaged one, or one that is too large
                self._pictures[path] = True
        return self._pictures[path]


def _seconds(cell: str) -> float | None:
    value = seconds(cell)
    return None if value is None else round(value, 3)
