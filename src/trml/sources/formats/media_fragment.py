"""Parts of media files, written as W3C media fragments: `x.mp4#t=12.3,15.2` are these seconds of a video."""

_MARK = "#t="


def with_part(path: str, start_s: float, end_s: float) -> str:
    """Return the name of a part: the path and its seconds, to the millisecond."""
    return f"{path}{_MARK}{_digits(start_s)},{_digits(end_s)}"


def split_part(clip: str) -> tuple[str, tuple[float, float] | None]:
    """Return the path of a clip and the seconds (start, end) of its part, None for the whole file."""
    path, mark, seconds = clip.partition(_MARK)
    if not mark:
        return path, None
    start, _, end = seconds.partition(",")
    return path, (float(start), float(end))


def _digits(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
