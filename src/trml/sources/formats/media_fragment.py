"""Parts of media files, written as W3C media fragments: `x.mp4#t=12.3,15.2` are these seconds of a video."""

from trml.base.errors import ContractError
from trml.base.printable import shortened
from trml.sources.formats.numbers import seconds

_MARK = "#t="


def with_part(path: str, start_s: float, end_s: float) -> str:
    """Return the name of a part: the path and its seconds, to the millisecond."""
    return f"{path}{_MARK}{_digits(start_s)},{_digits(end_s)}"


def split_part(clip: str) -> tuple[str, tuple[float, float] | None]:
    """Return the path of a clip and the seconds (start, end) of its part, None for the whole file.

    Raises:
        ContractError: If what follows the mark are no seconds.
    """
    path, mark, part = clip.partition(_MARK)
    if not mark:
        return path, None
    start, end = (seconds(each) for each in part.partition(",")[::2])
    if start is None or end is None:
        raise ContractError(f"clip {shortened(clip)}: expected seconds after {_MARK}, as in x.mp4{_MARK}12.3,15.2")
    return path, (start, end)


def _digits(time_s: float) -> str:
    return f"{time_s:.3f}".rstrip("0").rstrip(".")
