"""Download one file from the first working mirror and verify it before it appears at its final path."""

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
    """Return whether nothing may be fetched: `offline`, or TRML_OFFLINE=1 in the environment."""
    return offline or os.environ.get("TRML_OFFLINE", "0") not in ("", "0")


def download(source: Source, target: Path, lock: Lock, offline: bool = False, patience: Patience = PATIENCE) -> None:
    """Have a source at `target`. An existing file is not fetched, only verified, once.

    Args:
        source: What to fetch.
        target: Where to.
        lock: Where checksums are recorded.
        offline: Whether nothing may be fetched.
        patience: Timeouts and limits.

    Raises:
        DataMissing: If the file is absent and nothing may be fetched.
        FetchFailed: If no mirror has the right file, the existing file is wrong, or the disk is full.
    """
    if target.is_file():
        return verify(source, target, lock)
    if is_offline(offline):
        raise DataMissing(absent_in_words([(source, target)]))
    with alone(target, f"{target.name}: waiting for another process that is fetching it"):
        if target.is_file():
            return verify(source, target, lock)
        _from_mirrors(source, target, lock, patience)
    return None


def absent_in_words(absent: list[tuple[Source, Path]]) -> str:
    """Return a message that lists absent files and their addresses, for a run that may not fetch them."""
    lines = [f"{target} is missing (from {' or '.join(source.urls)})" for source, target in absent]
    return "; ".join(lines) + ". This run is offline: put the files there, or run it with a network"


@dataclass(frozen=True)
class Expected:
    """The known size and checksum of a file, None if unknown, and where they are stated."""

    size: int | None
    sha256: str | None
    by: str


def _expected(source: Source, target: Path, lock: Lock) -> Expected:
    entry = lock.entry(target)
    if source.sha256 is not None or entry is None:
        return Expected(source.size, source.sha256, "in the configuration")
    return Expected(source.size, entry.sha256, f"recorded on {entry.date} in {lock.path}")


def verify(source: Source, target: Path, lock: Lock) -> None:
    """Record an existing file in the lock file, or raise FetchFailed if it is not the expected one."""
    entry, expected = lock.entry(target), _expected(source, target, lock)
    if entry and entry.sha256 == expected.sha256 and lock.untouched(target):
        return
    size, checksum = target.stat().st_size, ""
    with target.open("rb") as handle:
        fault = wrong_content(target.name, handle.read(HEAD))
    if not fault and expected.size not in (None, size):
        fault = f"has {size} bytes; expected {expected.size}"
    if not fault:
        checksum = digest(target, size).hexdigest()
        if expected.sha256 not in (None, checksum):
            fault = f"has sha256 {checksum}; expected {expected.sha256} ({expected.by})"
    if fault:
        raise FetchFailed(
            f"{target} {fault}. To fetch it again, move it away and run: {fetch_again()}. To keep it, change size and "
            f"sha256 of this source in the configuration, or remove its entry from {lock.path}"
        )
    lock.record(target, checksum, entry.url if entry else None)


def _from_mirrors(source: Source, target: Path, lock: Lock, patience: Patience) -> None:
    part, expected, failures = Part(target), _expected(source, target, lock), []
    part.recall()
    with new_session() as session:
        # A partial file can only be resumed from its own mirror. Sorting keeps the order of the others.
        for url in sorted(source.urls, key=lambda url: url != part.url):
            try:
                _from_one(session, url, part, expected, patience)
            except (Again, Elsewhere) as error:
                say(f"{target.name}: {url} {error}")
                failures.append(f"{url} {error}")
                continue
            checksum = part.hash.hexdigest()
            part.finish()
            lock.record(target, checksum, url)
            return say(f"{target.name}: {bytes_in_words(target.stat().st_size)} fetched")
    kept = f"The {bytes_in_words(part.size)} received so far are kept. " if part.size else ""
    raise FetchFailed(
        f"{target.name} could not be fetched: {'; '.join(failures)}. {kept}Try again later: {fetch_again()}. "
        f"Or put the file there by hand: {target}"
    )


def _from_one(session: requests.Session, url: str, part: Part, expected: Expected, patience: Patience) -> None:
    """Download the file from one mirror, in as many requests as needed; raise Again or Elsewhere if that fails."""

    def once() -> None:
        transfer(session, url, part, expected.size, expected.sha256 is not None, patience)
        checksum, resumed = part.hash.hexdigest(), part.resumed
        if expected.sha256 not in (None, checksum):
            part.drop()
            reason = f"sends a file of sha256 {checksum}; expected {expected.sha256} ({expected.by})"
            raise Again(f"{reason}; starting over") if resumed else Elsewhere(reason)

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
