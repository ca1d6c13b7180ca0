"""Request a file, or the rest of it, from one server."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import chain
from urllib.parse import urlsplit

import requests
import urllib3

from trml import __version__
from trml.base.errors import FetchFailed
from trml.sources.fetching.partial_file import Part
from trml.sources.fetching.rate import Pace, Patience, bytes_in_words
from trml.sources.formats.filetype import HEAD, wrong_content

_BLOCK = 1 << 18

_REDIRECTS = 10

_BUSY = (408, 425, 429)  # and all from 500: worth another try


class Again(Exception):
    """The server may send the file later. `after`: seconds that it asks to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class Elsewhere(Exception):
    """The server will not send the file."""


def new_session() -> requests.Session:
    """Return a session for the requests for one file."""
    session = requests.Session()
    session.max_redirects = _REDIRECTS
    # With compression, lengths and ranges would not be those of the file.
    session.headers.update({"User-Agent": f"trml/{__version__}", "Accept-Encoding": "identity"})
    return session


def transfer(
    session: requests.Session, url: str, part: Part, size: int | None, known: bool, patience: Patience
) -> None:
    """Receive the rest of a file.

    Args:
        session: Of this file.
        url: Its address.
        part: What has arrived. Whatever arrives now is kept in it.
        size: The required size in bytes, None if unknown.
        known: Whether a checksum will be compared.
        patience: Timeouts and limits.

    Raises:
        Again: If another attempt may succeed.
        Elsewhere: If only another server can help.
        FetchFailed: If the disk is full.
    """
    resuming = part.url == url and part.validator != "" and part.size > 0
    if resuming and part.size == part.total == (size or part.total):
        return
    rest = {"Range": f"bytes={part.size}-", "If-Range": part.validator} if resuming else {}
    timeouts = (patience.connect_s, patience.read_s)
    try:
        with session.get(url, headers=rest, stream=True, timeout=timeouts) as response:
            _refuse(response, part, resuming, patience)
            if response.status_code == HTTPStatus.PARTIAL_CONTENT:
                _require_rest(response, part)
                _require_size(part.total, size)
                part.resumed, limit = True, part.total
                blocks = _blocks(response, Pace(part.target.name, part.size, limit, patience))
            else:
                total = _length(response, size, known)
                limit = size or total
                blocks = _blocks(response, Pace(part.target.name, 0, limit, patience))
                head = _head(blocks, part.target.name)
                part.begin(url, _validator(response), total)
                blocks = chain([head], blocks)
            _receive(blocks, part, limit, patience)
    except requests.TooManyRedirects:
        raise Elsewhere(f"redirects more than {_REDIRECTS} times") from None
    except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema):
        raise Elsewhere("leads to an address that is not http") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise Again(_in_words(error, part)) from None
    if limit is not None and part.size != limit:
        raise Again(f"broke off after {part.size} of {limit} bytes")


# --- head of the response --------------------------------------------------------------------------------


def _refuse(response: requests.Response, part: Part, resuming: bool, patience: Patience) -> None:
    """Raise unless the response has the file, or the rest that was requested."""
    code = response.status_code
    answer = f"answers {code} {response.reason or ''}".rstrip()
    if code in _BUSY or code >= 500:
        after = _retry_after(response)
        if after > patience.longest_s:
            raise Elsewhere(f"{answer} and asks to wait {after:.0f} s")
        raise Again(answer, after)
    if code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and resuming:
        part.drop()
        raise Again(f"{answer}: the file has changed on the server; starting over")
    if code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT) or (code == HTTPStatus.PARTIAL_CONTENT and not resuming):
        raise Elsewhere(answer)
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    # Some servers declare a .tar.gz gzip-encoded; its bytes are the file's own.
    itself = encoding.removeprefix("x-") == "gzip" and part.target.suffix in (".gz", ".tgz")
    if encoding != "identity" and not itself:
        raise Elsewhere(f"sends the file {encoding}-encoded; expected it without an encoding")


def _retry_after(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _validator(response: requests.Response) -> str:
    """Return what identifies this version of the file. A weak ETag does not."""
    etag = response.headers.get("ETag", "")
    return response.headers.get("Last-Modified", "") if not etag or etag.startswith("W/") else etag


def _require_rest(response: requests.Response, part: Part) -> None:
    """Raise unless these are the missing bytes, of the same version."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    told = {response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")} - {""}
    total = int(match[2]) if match and match[2] != "*" else part.total
    if match is None or int(match[1]) != part.size or total is None:
        what = "another range than requested"
    elif total != (part.total or total) or (told and part.validator not in told):
        what = "another version of the file than before"
    else:
        part.total = total
        return
    part.drop()
    raise Again(f"sends {what}; starting over")


def _length(response: requests.Response, size: int | None, known: bool) -> int | None:
    """Return the size of the whole file in bytes, None if the server does not tell."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else None
    _require_size(total, size)
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    if total is None and size is None and not chunked and not known:
        raise Elsewhere("does not state the size of the file, so a truncated one could not be detected")
    return total


def _require_size(total: int | None, size: int | None) -> None:
    if total is not None and size is not None and total != size:
        raise Elsewhere(f"has a file of {total} bytes; expected {size}")


# --- body of the response --------------------------------------------------------------------------------


def _blocks(response: requests.Response, pace: Pace) -> Iterator[bytes]:
    """Yield blocks as they arrive; raise Elsewhere if they arrive too slowly."""
    done = pace.before
    while block := response.raw.read1(_BLOCK, decode_content=False):
        yield block
        done += len(block)
        if slow := pace.update(done):
            raise Elsewhere(slow)


def _head(blocks: Iterator[bytes], name: str) -> bytes:
    """Return the first bytes of a file; raise Elsewhere if its name requires another format."""
    head = b""
    while len(head) < HEAD and (block := next(blocks, b"")):
        head += block
    if reason := wrong_content(name, head):
        raise Elsewhere(f"sends a file that {reason}")
    return head


def _receive(blocks: Iterator[bytes], part: Part, limit: int | None, patience: Patience) -> None:
    _require_room(part, 0 if limit is None else limit - part.size, patience)
    excess = False
    with part.writing() as writer:
        for block in blocks:
            excess = limit is not None and part.size + len(block) > limit
            if excess:
                break
            if writer.write(block):
                _require_room(part, 0, patience)
    if excess:
        part.drop()
        raise Elsewhere(f"sends more than the {limit} bytes of the file")


def _require_room(part: Part, needed: int, patience: Patience) -> None:
    free = shutil.disk_usage(part.target.parent).free
    if free < needed + patience.reserve:
        raise FetchFailed(
            f"{part.target.name} needs {bytes_in_words(needed)} more, and {bytes_in_words(patience.reserve)} must stay "
            f"free; {part.target.parent} has {bytes_in_words(free)}. Free disk space, or choose another folder: "
            "data=<folder>"
        )


def _in_words(error: Exception, part: Part) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "does not answer"
    if isinstance(error, requests.exceptions.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
        return "stopped sending"
    if isinstance(error, requests.exceptions.SSLError):
        return "has no valid certificate"
    if isinstance(error, requests.ConnectionError) and error.request is not None:
        return f"cannot be reached ({urlsplit(str(error.request.url)).hostname} does not answer)"
    arrived = f"{part.size} bytes" if part.total is None else f"{part.size} of {part.total} bytes"
    return f"broke off after {arrived}"
