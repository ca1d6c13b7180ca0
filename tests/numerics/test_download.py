"""Downloads from a faulty server: the right file or one clear line, and never a wrong file.

docs/downloads.md has a row for every case here.
"""

# long because: one table of the faults of servers, a case each, which docs/downloads.md lists

import functools
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from conftest import ROOT
from helpers.faulty_server import Server, chunked, file, in_turn, no_http, partial, resets, serving, stalls, status
from trml.base.errors import TrmlError
from trml.sources.fetching import http as transfers
from trml.sources.fetching import partial_file as parts
from trml.sources.fetching.config import Source
from trml.sources.fetching.download import download
from trml.sources.fetching.lockfile import Lock
from trml.sources.fetching.rate import Pace, Patience, bytes_in_words, time_in_words

RIGHT = b"PK\x03\x04" + random.Random(1).randbytes(60_000)
OTHER = b"PK\x03\x04" + random.Random(2).randbytes(60_000)
LONGER = OTHER + b"more"
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>" * 40
N = len(RIGHT)
QUICK = Patience(
    connect_s=1.0,
    read_s=0.2,
    attempts=3,
    step=1000,
    wait_s=0.01,
    longest_s=0.05,
    window_s=0.15,
    floor=50_000,
    reserve=0,
)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class World:
    """A server, a folder of corpora, and the file that is to be had."""

    server: Server
    data: Path
    monkeypatch: pytest.MonkeyPatch
    patience: Patience = QUICK
    name: str = "file.zip"
    size: int | None = None
    sha256: str | None = None
    urls: list[str] = field(default_factory=list)

    def but(self, **changes: object) -> "World":
        """The same with something else wanted."""
        return replace(self, **changes)

    @property
    def target(self) -> Path:
        return self.data / "made" / self.name

    @property
    def part(self) -> Path:
        return self.data / "made" / f"{self.name}.part"

    def mirrors(self, *behaviours) -> "World":
        """The file's mirrors behave so."""
        self.urls = [self.server.at(f"/{n}", behaviour) for n, behaviour in enumerate(behaviours)]
        return self

    def get(self, offline: bool = False) -> None:
        source = Source(self.name, self.urls, self.size, self.sha256, [])
        download(source, self.target, Lock(self.data), offline, self.patience)

    def has(self, content: bytes = RIGHT) -> None:
        """It ends in this file, which is recorded, and leaves nothing beside it."""
        self.get()
        assert self.target.read_bytes() == content
        assert [path.name for path in self.target.parent.iterdir()] == [self.name]
        entry = json.loads((self.data / "sources.lock").read_text())[f"made/{self.name}"]
        assert (entry["sha256"], entry["size"]) == (sha(content), len(content))

    def fails(self, *words: str) -> str:
        """It ends in one line with these words, and no file."""
        with pytest.raises(TrmlError) as caught:
            self.get()
        message = str(caught.value)
        assert "\n" not in message
        assert self.name in message
        for expected in words:
            assert expected in message
        assert not self.target.exists()
        return message


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "TRML_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving() as server:
        yield World(server, tmp_path / "data", monkeypatch)


CASES: dict[str, Callable[[World], object]] = {}


def case(name: str) -> Callable:
    def add(function: Callable[[World], object]) -> Callable:
        CASES[name] = function
        return function

    return add


# --- it breaks off ---------------------------------------------------------------------------------------


def cut(w: World, after: int) -> None:
    w.mirrors(file(RIGHT, cuts=(after,))).has()
    # Fewer bytes than tell what kind of file it is are not kept.
    assert w.server.ranges == [None, f"bytes={after}-" if after >= 512 else None]


for _name, _after in {
    "cut before the first byte": 0,
    "cut after one byte": 1,
    "cut in the first bytes": 300,
    "cut in the middle": N // 2,
    "cut before the last byte": N - 1,
}.items():
    CASES[_name] = functools.partial(cut, after=_after)


@case("cut repeatedly, a bit further each time")
def cut_further(w: World) -> None:
    w.mirrors(file(RIGHT, cuts=(5000,) * 11)).has()
    assert len(w.server.asked) == 12 > QUICK.attempts


@case("cut repeatedly at the same byte")
def cut_for_good(w: World) -> None:
    w.mirrors(file(RIGHT, cuts=(5000, *[0] * 99))).fails(f"broke off after 5000 of {N} bytes", "5.0 kB", "are kept")
    assert len(w.server.asked) == 1 + QUICK.attempts
    assert w.part.stat().st_size == 5000


@case("connection reset")
def reset(w: World) -> None:
    w.mirrors(in_turn(resets(RIGHT, 9000), file(RIGHT))).has()
    assert w.server.ranges == [None, "bytes=9000-"]


@case("no Range")
def no_range(w: World) -> None:
    w.mirrors(file(RIGHT, ranges=False, cuts=(9000,))).has()
    assert w.server.ranges == [None, "bytes=9000-"]


@case("no Range, cut every time")
def no_range_cut(w: World) -> None:
    w.mirrors(file(RIGHT, ranges=False, cuts=(9000,) * 99)).fails("broke off after 9000")


@case("neither ETag nor Last-Modified")
def no_validator(w: World) -> None:
    w.mirrors(file(RIGHT, etag=None, cuts=(9000,))).has()
    assert w.server.ranges == [None, None]


@case("a weak ETag")
def weak_etag(w: World) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    w.mirrors(file(RIGHT, etag='W/"1"', if_range=False, cuts=(9000,), Last_Modified=date)).has()
    assert w.server.asked[1][1]["If-Range"] == date


# --- another file, another part --------------------------------------------------------------------------


@case("changed between two requests, same length")
def changed(w: World) -> None:
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), file(OTHER, etag='"2"'))).has(OTHER)


@case("changed between two requests, other length")
def changed_length(w: World) -> None:
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), file(LONGER, etag='"2"'))).has(LONGER)


@case("ignores If-Range")
def ignores_if_range(w: World) -> None:
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), file(OTHER, etag='"2"', if_range=False))).has(OTHER)
    assert w.server.ranges == [None, "bytes=9000-", None]


@case("changed under the same ETag")
def changed_in_secret(w: World) -> None:
    w = w.but(sha256=sha(RIGHT))
    w.mirrors(in_turn(file(OTHER, cuts=(9000,)), file(RIGHT))).has()
    assert w.server.ranges == [None, "bytes=9000-", None]


@case("growing file")
def grows(w: World) -> None:
    w.mirrors(in_turn(file(OTHER, cuts=(9000,)), file(LONGER))).has(LONGER)


@case("206 from another byte than requested")
def wrong_offset(w: World) -> None:
    elsewhere = partial(RIGHT, 8000, f"bytes 8000-{N - 1}/{N}")
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), elsewhere, file(RIGHT))).has()


@case("206 with less than the remainder")
def less_than_the_rest(w: World) -> None:
    some = partial(RIGHT[:20_000], 9000, f"bytes 9000-19999/{N}")
    for first in (file(RIGHT, cuts=(9000,)), chunked(RIGHT, cuts=(9000,))):
        w.target.unlink(missing_ok=True)
        w.server.asked.clear()
        w.mirrors(in_turn(first, some, file(RIGHT))).has()
        assert w.server.ranges == [None, "bytes=9000-", "bytes=20000-"]


@case("206 without Content-Range")
def no_content_range(w: World) -> None:
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), partial(RIGHT, 9000, None), file(RIGHT))).has()


@case("206 that was not requested")
def unasked(w: World) -> None:
    w.mirrors(partial(RIGHT, 100, f"bytes 100-{N - 1}/{N}")).fails("answers 206")


@case("206 always from another byte")
def wrong_offset_for_good(w: World) -> None:
    twice = (file(RIGHT, cuts=(9000,) * 99), partial(RIGHT, 8000, f"bytes 8000-{N - 1}/{N}"))
    w.mirrors(in_turn(*twice * 5)).fails("sends another range than requested")


@case("416")
def not_satisfiable(w: World) -> None:
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), status(416), file(RIGHT))).has()


# --- wrong length, wrong bytes ---------------------------------------------------------------------------


@case("Content-Length too long")
def too_long(w: World) -> None:
    w.mirrors(file(RIGHT, ranges=False, Content_Length=N + 10)).fails(f"broke off after {N} of {N + 10} bytes")


@case("Content-Length too short")
def too_short(w: World) -> None:
    lying = file(RIGHT, Content_Length=N - 10)
    w.but(size=N).mirrors(lying).fails(f"has a file of {N - 10} bytes; expected {N}")
    w.but(sha256=sha(RIGHT)).mirrors(lying).fails(f"sha256 {sha(RIGHT[:-10])}; expected {sha(RIGHT)}")


@case("another size than configured")
def other_size(w: World) -> None:
    w.but(size=N + 1).mirrors(file(RIGHT)).fails(f"has a file of {N} bytes; expected {N + 1}")


@case("more than the configured size, without a length")
def too_much(w: World) -> None:
    w.but(size=N - 1).mirrors(chunked(RIGHT)).fails(f"sends more than the {N - 1} bytes")
    assert list(w.target.parent.iterdir()) == []


@case("less than the configured size, without a length")
def too_little(w: World) -> None:
    w.but(size=N + 1).mirrors(chunked(RIGHT)).fails(f"has a file of {N} bytes; expected {N + 1}")


@case("wrong bytes")
def wrong_bytes(w: World) -> None:
    w.but(sha256=sha(RIGHT)).mirrors(file(OTHER)).fails(f"sha256 {sha(OTHER)}; expected {sha(RIGHT)}")
    assert not w.part.exists()


@case("wrong bytes, right ones on the mirror")
def wrong_then_mirror(w: World) -> None:
    w.but(sha256=sha(RIGHT)).mirrors(file(OTHER), file(RIGHT)).has()


@case("chunked, without a length")
def in_chunks(w: World) -> None:
    w.mirrors(chunked(RIGHT)).has()


@case("chunked and cut")
def chunks_cut(w: World) -> None:
    w.mirrors(chunked(RIGHT, cuts=(9000,))).has()


@case("no length at all")
def no_length(w: World) -> None:
    endless = file(RIGHT, Content_Length=None)
    w.mirrors(endless).fails("does not state the size of the file")
    w.but(sha256=sha(RIGHT)).mirrors(endless).has()


@case("empty body")
def empty(w: World) -> None:
    w.mirrors(file(b"")).fails("sends a file that is empty")


# --- refusals --------------------------------------------------------------------------------------------


@case("404, found on the mirror")
def not_found_then_mirror(w: World) -> None:
    w.mirrors(status(404), file(RIGHT)).has()
    assert len(w.server.asked) == 2


@case("404 everywhere")
def not_found(w: World) -> None:
    message = w.mirrors(status(404), status(404)).fails("answers 404 Not Found", str(w.target))
    assert all(url in message for url in w.urls)


@case("403")
def forbidden(w: World) -> None:
    w.mirrors(status(403)).fails("answers 403 Forbidden")
    assert len(w.server.asked) == 1


@case("410")
def gone(w: World) -> None:
    w.mirrors(status(410)).fails("answers 410 Gone")


@case("500 always")
def broken(w: World) -> None:
    w.mirrors(status(500)).fails("answers 500 Internal Server Error")
    assert len(w.server.asked) == QUICK.attempts


@case("503 twice, then 200")
def unavailable(w: World) -> None:
    w.mirrors(in_turn(status(503), status(503), file(RIGHT))).has()


@case("429 with Retry-After")
def too_many(w: World) -> None:
    start = time.monotonic()
    w.but(patience=replace(QUICK, longest_s=2.0)).mirrors(in_turn(status(429, Retry_After=1), file(RIGHT))).has()
    assert time.monotonic() - start >= 1


@case("Retry-After of a day")
def retry_after_a_day(w: World) -> None:
    w.mirrors(status(503, Retry_After=86400)).fails("asks to wait 86400 s")
    w.mirrors(status(503, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"), file(RIGHT)).has()


@case("refused port")
def refused_port(w: World) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    w.but(urls=[url]).fails("cannot be reached (127.0.0.1 does not answer)")
    w.mirrors(file(RIGHT)).but(urls=[url, *w.urls]).has()


@case("no HTTP")
def other_protocol(w: World) -> None:
    w.mirrors(no_http).fails("cannot be reached")


# --- slow ------------------------------------------------------------------------------------------------


@case("slow drip")
def drip(w: World) -> None:
    w.mirrors(file(RIGHT, pause=0.01, piece=20)).fails("a second; that is too slow")


@case("slow drip, a faster mirror")
def drip_then_mirror(w: World) -> None:
    w.mirrors(file(RIGHT, pause=0.01, piece=100), file(RIGHT)).has()


@case("stalls")
def stall(w: World) -> None:
    w.mirrors(in_turn(stalls(RIGHT, 9000), file(RIGHT))).has()
    assert w.server.ranges == [None, "bytes=9000-"]


@case("never answers")
def silent(w: World) -> None:
    w.mirrors(stalls(RIGHT, None), file(RIGHT)).has()


# --- redirects -------------------------------------------------------------------------------------------


@case("redirect")
def redirect(w: World) -> None:
    w.server.at("/there", file(RIGHT, cuts=(9000,)))
    w.mirrors(status(302, Location="/there")).has()
    assert w.server.ranges == [None, None, "bytes=9000-", "bytes=9000-"]


@case("redirect loop")
def redirect_loop(w: World) -> None:
    w.mirrors(status(302, Location="/0")).fails("redirects more than 10 times")
    assert len(w.server.asked) == 11


@case("redirect to a missing host")
def redirect_nowhere(w: World) -> None:
    w.mirrors(status(302, Location="http://host.invalid/file")).fails("cannot be reached (host.invalid")


@case("redirect to a file of this machine")
def redirect_to_file(w: World) -> None:
    w.mirrors(status(302, Location="file:///etc/hostname")).fails("leads to an address that is not http")


# --- something else instead ------------------------------------------------------------------------------


@case("html instead of a zip")
def html_for_zip(w: World) -> None:
    w.mirrors(file(PAGE)).fails("sends a file that is a web page, not a zip archive")


@case("html instead of a csv")
def html_for_csv(w: World) -> None:
    w.but(name="table.csv").mirrors(file(PAGE)).fails("sends a file that is a web page, not a table")


@case("html instead of the remainder")
def html_for_rest(w: World) -> None:
    """A page in place of the rest costs nothing of what has arrived."""
    w.mirrors(in_turn(file(RIGHT, cuts=(9000,)), file(PAGE, etag='"2"'))).fails("is a web page", "are kept")
    w.mirrors(file(RIGHT)).has()
    assert w.server.ranges[-1] == "bytes=9000-"


@case("another kind of file")
def other_kind(w: World) -> None:
    for name in ("file.tar.gz", "file.csd"):
        w.but(name=name).mirrors(file(RIGHT)).fails("sends a file that is a zip archive, not")
    w.but(name="table.csv").mirrors(file(b"a,b\n\0\0")).fails("not a table")


@case("gzip-encoded, though identity was asked for")
def encoded(w: World) -> None:
    squeezed = gzip.compress(RIGHT)
    w.mirrors(file(squeezed, Content_Encoding="gzip")).fails("sends the file gzip-encoded")
    assert w.server.asked[0][1]["Accept-Encoding"] == "identity"


@case("a .tar.gz that is called gzip-encoded")
def encoded_by_name(w: World) -> None:
    squeezed = gzip.compress(RIGHT, mtime=0)
    w.but(name="file.tar.gz").mirrors(file(squeezed, Content_Encoding="x-gzip", cuts=(9000,))).has(squeezed)


# --- on this side ----------------------------------------------------------------------------------------


def half(w: World) -> World:
    """A part of the file is there, of an earlier run."""
    w.mirrors(file(RIGHT, cuts=(9000, *[0] * 99))).fails("are kept")
    w.server.asked.clear()
    return w.mirrors(file(RIGHT))


@case("part of an earlier run")
def earlier_part(w: World) -> None:
    half(w).has()
    assert w.server.ranges == ["bytes=9000-"]


@case("part from the mirror")
def part_of_mirror(w: World) -> None:
    """It is gone on with where it came from, though another mirror stands first."""
    w.mirrors(status(404), file(RIGHT, cuts=(9000, *[0] * 99))).fails("are kept")
    w.server.asked.clear()
    w.mirrors(file(OTHER), file(RIGHT)).has()
    assert w.server.ranges == ["bytes=9000-"]


@case("part damaged")
def part_damaged(w: World) -> None:
    half(w)
    w.part.write_bytes(b"x" * 9000)
    w.has()
    assert w.server.ranges == [None]


@case("part shorter than recorded")
def part_shorter(w: World) -> None:
    half(w)
    w.part.write_bytes(RIGHT[:5000])
    w.has()


@case("part longer than the file")
def part_longer(w: World) -> None:
    half(w)
    w.part.write_bytes(RIGHT[:9000] + OTHER * 2)
    w.has()
    assert w.server.ranges == ["bytes=9000-"]


@case("part of unknown origin")
def part_unknown(w: World) -> None:
    half(w)
    w.part.with_name(w.part.name + ".json").write_text("{")
    w.has()
    assert w.server.ranges == [None]


@case("part complete, but not renamed")
def part_whole(w: World) -> None:
    w.monkeypatch.setattr(parts.Part, "finish", lambda part: sys.exit("killed"))
    with pytest.raises(SystemExit):
        w.mirrors(file(RIGHT)).get()
    w.monkeypatch.undo()
    w.server.asked.clear()
    w.has()
    assert w.server.asked == []


@case("disk full before")
def disk_full(w: World) -> None:
    usage = shutil.disk_usage(w.data.parent)._replace(free=10_000)
    w.monkeypatch.setattr(transfers.shutil, "disk_usage", lambda path: usage)
    w.mirrors(file(RIGHT), file(RIGHT)).fails("needs 60.0 kB more", "has 10.0 kB", "Free disk space")
    assert len(w.server.asked) == 1


@case("disk full during the download, length unknown")
def disk_full_later(w: World) -> None:
    w.monkeypatch.setattr(parts, "SYNC_EVERY_S", 0.0)
    free = iter([10**9, 10**6, 10])
    usage = shutil.disk_usage(w.data.parent)
    w.monkeypatch.setattr(transfers.shutil, "disk_usage", lambda path: usage._replace(free=next(free)))
    w.but(patience=replace(QUICK, reserve=1000)).mirrors(chunked(RIGHT * 99)).fails("Free disk space")


def another_process(w: World) -> subprocess.Popen:
    """The same download in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from trml.sources.fetching.config import Source\n"
        "from trml.sources.fetching import partial_file as part\n"
        "from trml.sources.fetching.download import download; from trml.sources.fetching.lockfile import Lock\n"
        "part.SYNC_EVERY_S = 0.02\n"
        "data = Path(sys.argv[1]); source = Source(sys.argv[2], [sys.argv[3]], None, None, [])\n"
        "download(source, data / 'made' / sys.argv[2], Lock(data))"
    )
    command = [sys.executable, "-c", code, str(w.data), w.name, w.urls[0]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


@case("two processes at once")
def two_processes(w: World) -> None:
    w.mirrors(file(RIGHT, pause=0.02, piece=1000))
    both = [another_process(w), another_process(w)]
    said = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(w.server.asked) == 1
    w.has()


@case("killed during the download")
def killed(w: World) -> None:
    w.mirrors(in_turn(file(RIGHT, pause=0.02, piece=1000), file(RIGHT)))
    process = another_process(w)
    side = w.part.with_name(w.part.name + ".json")
    while not (side.exists() and json.loads(side.read_text())["size"] > 5000):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not w.target.exists()
    w.get()
    assert w.target.read_bytes() == RIGHT
    assert int(w.server.ranges[1].removeprefix("bytes=").removesuffix("-")) > 5000


@case("not the file that was downloaded first")
def not_the_first(w: World) -> None:
    w.mirrors(file(RIGHT)).has()
    w.target.unlink()
    w.mirrors(file(OTHER)).fails(f"sha256 {sha(OTHER)}; expected {sha(RIGHT)} (recorded on ", "sources.lock")
    w.mirrors(file(RIGHT)).has()


@case("sources.lock damaged")
def lock_damaged(w: World) -> None:
    w.data.mkdir()
    for text in ("{", "[]", '{"made/file.zip": {"sha256": 1}}'):
        (w.data / "sources.lock").write_text(text)
        with pytest.raises(TrmlError, match=re.escape(f"{w.data / 'sources.lock'} is damaged")):
            w.mirrors(file(RIGHT)).get()
    assert not w.target.exists()
    assert w.server.asked == []


@case("offline")
def offline(w: World) -> None:
    w.monkeypatch.setenv("TRML_OFFLINE", "1")
    w.mirrors(file(RIGHT)).fails(f"{w.target} is missing", w.urls[0], "offline")
    w.monkeypatch.delenv("TRML_OFFLINE")
    with pytest.raises(TrmlError, match="is missing"):
        w.get(offline=True)
    assert w.server.asked == []


@case("provided by the user")
def brought(w: World) -> None:
    """It is read once, and again when it was touched."""
    w.target.parent.mkdir(parents=True)
    w.target.write_bytes(RIGHT)
    w.but(sha256=sha(RIGHT), urls=["http://host.invalid"]).has()
    w.monkeypatch.setattr("trml.sources.fetching.download.digest", lambda path, size: pytest.fail("it was read again"))
    w.but(urls=["http://host.invalid"]).has()
    w.monkeypatch.undo()
    w.target.write_bytes(OTHER)
    with pytest.raises(TrmlError, match=f"has sha256 {sha(OTHER)}; expected {sha(RIGHT)}"):
        w.but(urls=["http://host.invalid"]).get()
    assert w.target.read_bytes() == OTHER


@case("provided by the user, but another file")
def brought_wrong(w: World) -> None:
    w.target.parent.mkdir(parents=True)
    for content, wanted, words in [
        (RIGHT, {"size": 5}, f"has {N} bytes; expected 5"),
        (OTHER, {"sha256": sha(RIGHT)}, f"has sha256 {sha(OTHER)}; expected {sha(RIGHT)} .in the configuration"),
        (PAGE, {}, "is a web page, not a zip archive"),
        (b"", {}, "is empty"),
    ]:
        w.target.write_bytes(content)
        with pytest.raises(TrmlError, match=words):
            w.but(urls=["http://host.invalid"], **wanted).get()
        assert w.target.read_bytes() == content
    assert not (w.data / "sources.lock").exists()


@pytest.mark.parametrize("name", CASES)
def test_faults(name: str, world: World) -> None:
    CASES[name](world)


def test_the_docs_have_a_row_for_each_case() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", (ROOT / "docs" / "downloads.md").read_text(), re.MULTILINE)
    assert [row for row in rows if row not in ("fault", "---")] == list(CASES)


def test_progress_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    now = iter([0.0, 2.0, 10.0, 12.0])
    monkeypatch.setattr("trml.sources.fetching.rate.time.monotonic", lambda: next(now))
    pace = Pace("file.zip", 10_000_000, 50_000_000, Patience())
    for done in (11_000_000, 30_000_000, 35_000_000):
        pace.update(done)
    assert capsys.readouterr().err == "file.zip: 30.0 MB of 50.0 MB, 2.0 MB/s, about 10 s to go\n"
    assert [bytes_in_words(n) for n in (999, 1000, 1.26e9, 5e12)] == ["999 bytes", "1.0 kB", "1.3 GB", "5.0 TB"]
    assert [time_in_words(s) for s in (99, 600, 7200)] == ["99 s", "10 min", "2.0 h"]
