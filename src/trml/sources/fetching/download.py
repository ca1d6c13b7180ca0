"""One file from its mirrors, whole and the right one, or not at all."""

import os
from dataclasses import dataclass
from pathlib import Path

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from trml.base.commands import fetch_again
from trml.base.errors import DataMissing, FetchFailed
from trml.base.lock import alone
from trml.base.progress import say
from trml.sources.fetching.config import Source
from trml.sources.fetching.http import Again, Elsewhere, new_session, transfer
from trml.sources.fetching.lockfile import Lock
from trml.sources.fetching.partial_file import Part, digest
from trml.sources.fetching.rate import Patience, bytes_in_words
from trml.sources.formats.filetype import HEAD, wrong_content

PATIENCE = Patience()


def is_offline(offline: bool = False) -> bool:
    """Whether nothing is to be fetched: asked for, or TRML_OFFLINE=1 in the environment."""
    return offline or os.environ.get("TRML_OFFLINE", "0") not in ("", "0")


def download(source: Source, target: Path, lock: Lock, offline: bool = False, patience: Patience = PATIENCE) -> None:
    """Have `source` at `target`. A file that is there is not fetched, only checked, once.

    Raises DataMissing where it is absent and nothing may be fetched, FetchFailed where no mirror has the right file,
    the one that is there is not the right one, or the disk has no room.
    """
    if target.is_file():
        return check_there(source, target, lock)
    if is_offline(offline):
        raise DataMissing(missing_in_words([(source, target)]))
    with alone(target, f"{target.name}: another process fetches it; waiting for that"):
        if target.is_file():
            return check_there(source, target, lock)
        _from_mirrors(source, target, lock, patience)
    return None


def missing_in_words(absent: list[tuple[Source, Path]]) -> str:
    """Which files are not there in a run that may not fetch them, and where each is to be had."""
    lines = [f"{target} is missing (from {' or '.join(source.urls)})" for source, target in absent]
    return "; ".join(lines) + ". This run is offline: bring the files there, or run it with a network"


@dataclass(frozen=True)
class Expected:
    """What a file must be, as far as it is known, and who says so."""

    size: int | None
    sha256: str | None
    by: str


def _expected(source: Source, target: Path, lock: Lock) -> Expected:
    entry = lock.entry(target)
    if source.sha256 is not None or entry is None:
        return Expected(source.size, source.sha256, "by the configuration")
    return Expected(source.size, entry.sha256, f"as on {entry.date}, by {lock.path}")


def check_there(source: Source, target: Path, lock: Lock) -> None:
    """Raise FetchFailed where a file that is there is not the one that is expected; what is right is recorded."""
    entry, expected = lock.entry(target), _expected(source, target, lock)
    if entry and entry.sha256 == expected.sha256 and lock.untouched(target):
        return
    size, found = target.stat().st_size, ""
    with target.open("rb") as handle:
        fault = wrong_content(target.name, handle.read(HEAD))
    if not fault and expected.size not in (None, size):
        fault = f"has {size} bytes; expected {expected.size}"
    if not fault:
        found = digest(target, size).hexdigest()
        if expected.sha256 not in (None, found):
            fault = f"has sha256 {found}; expected {expected.sha256} ({expected.by})"
    if fault:
        raise FetchFailed(
            f"{target} {fault}. Move it away, and it is fetched again: {fetch_again()}. Where it is the file that you "
            f"want, change size and sha256 of this source in the configuration, or take its entry out of {lock.path}"
        )
    lock.record(target, found, entry.url if entry else None)


# --- the mirrors -----------------------------------------------------------------------------------------


def _from_mirrors(source: Source, target: Path, lock: Lock, patience: Patience) -> None:
    part, expected, failures = Part(target), _expected(source, target, lock), []
    part.recall()
    with new_session() as session:
        # What has arrived can only be gone on with where it came from; sorting keeps the order of the others.
        for url in sorted(source.urls, key=lambda url: url != part.url):
            try:
                _from_one(session, url, part, expected, patience)
            except (Again, Elsewhere) as error:
                say(f"{target.name}: {url} {error}")
                failures.append(f"{url} {error}")
                continue
            found = part.hash.hexdigest()
            part.finish()
            lock.record(target, found, url)
            return say(f"{target.name}: {bytes_in_words(target.stat().st_size)} fetched")
    kept = f"The {bytes_in_words(part.size)} that have arrived are kept. " if part.size else ""
    raise FetchFailed(
        f"{target.name} could not be fetched: {'; '.join(failures)}. {kept}Try again later: {fetch_again()}. "
        f"Or bring the file by hand: {target}"
    )


def _from_one(session: requests.Session, url: str, part: Part, expected: Expected, patience: Patience) -> None:
    """The whole file from one mirror, in as many requests as it takes. Raises Again or Elsewhere where it fails."""

    def once() -> None:
        transfer(session, url, part, expected.size, expected.sha256 is not None, patience)
        found, resumed = part.hash.hexdigest(), part.resumed
        if expected.sha256 not in (None, found):
            part.drop()
            reason = f"sends a file of sha256 {found}; expected {expected.sha256} ({expected.by})"
            raise Again(f"{reason}; it is fetched from its beginning") if resumed else Elsewhere(reason)

    best, fruitless = part.size if part.url == url else 0, 0

    def enough(state: RetryCallState) -> bool:
        nonlocal best, fruitless
        fruitless = 0 if part.size >= best + patience.step else fruitless + 1
        best = max(best, part.size)
        return fruitless >= patience.attempts

    backoff = wait_exponential(patience.wait_s, patience.longest_s)

    def wait(state: RetryCallState) -> float:
        return max(backoff(state), getattr(_error(state), "after", 0.0))

    def tell(state: RetryCallState) -> None:
        say(f"{part.target.name}: {url} {_error(state)}; trying again in {state.upcoming_sleep:.0f} s")

    Retrying(retry=retry_if_exception_type(Again), stop=enough, wait=wait, before_sleep=tell, reraise=True)(once)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
