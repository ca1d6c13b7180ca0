"""A real HTTP server on loopback that misbehaves as it is told.

A behaviour is a function of the request's handler and of how many requests for this path came before.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler", int], None]


class Handler(BaseHTTPRequestHandler):
    """Answers one request a connection."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        before = [path for path, _ in self.server.asked].count(self.path)
        self.server.asked.append((self.path, dict(self.headers)))
        self.close_connection = True
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has heard enough
            self.server.behaviours[self.path](self, before)

    def head(self, status: int, **headers: object) -> None:
        """Status line and headers; `_` in a name stands for `-`, None leaves one out."""
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def body(self, content: bytes, pause: float = 0.0, piece: int = 1 << 16) -> None:
        for start in range(0, len(content), piece):
            self.wfile.write(content[start : start + piece])
            self.wfile.flush()
            time.sleep(pause)

    def reset(self) -> None:
        """End the connection as a crash does, not as a close."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise ConnectionResetError

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """`behaviours`: by path. `asked`: path and headers of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def at(self, path: str, behaviour: Behaviour) -> str:
        """Behave so at this path; its url."""
        self.behaviours[path] = behaviour
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for _, headers in self.asked]


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# --- behaviours ------------------------------------------------------------------------------------------


def file(
    content: bytes,
    etag: str | None = '"1"',
    ranges: bool = True,
    if_range: bool = True,
    cuts: tuple[int, ...] = (),
    pause: float = 0.0,
    piece: int = 1 << 16,
    **headers: object,
) -> Behaviour:
    """Serve a file as a good server does, but close the n-th answer after cuts[n] bytes."""

    def behave(handler: Handler, before: int) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        same = not if_range or handler.headers.get("If-Range") in (None, etag)
        start = int(asked[1]) if asked and ranges and same else 0
        told: dict[str, object] = {"ETag": etag, "Content_Length": len(content) - start, **headers}
        if start:
            told = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}", **told}
        handler.head(206 if start else 200, **told)
        rest = content[start:]
        handler.body(rest[: cuts[before]] if before < len(cuts) else rest, pause, piece)

    return behave


def status(code: int, body: bytes = b"", **headers: object) -> Behaviour:
    def behave(handler: Handler, before: int) -> None:
        handler.head(code, Content_Length=len(body), **headers)
        handler.body(body)

    return behave


def partial(content: bytes, start: int, content_range: str | None, etag: str = '"1"') -> Behaviour:
    """206, whatever was asked."""

    def behave(handler: Handler, before: int) -> None:
        handler.head(206, ETag=etag, Content_Length=len(content) - start, Content_Range=content_range)
        handler.body(content[start:])

    return behave


def chunked(content: bytes, cuts: tuple[int, ...] = (), etag: str | None = '"1"') -> Behaviour:
    """In chunks, without a length; the n-th answer ends after cuts[n] bytes without the last, empty chunk."""
    whole = file(content, etag)

    def behave(handler: Handler, before: int) -> None:
        if "Range" in handler.headers:
            return whole(handler, before)
        handler.head(200, ETag=etag, Transfer_Encoding="chunked")
        cut = cuts[before] if before < len(cuts) else None
        piece = content[:cut]
        handler.body(b"%x\r\n%s\r\n" % (len(piece), piece) + (b"0\r\n\r\n" if cut is None else b""))
        return None

    return behave


def stalls(content: bytes, after: int | None) -> Behaviour:
    """Say nothing more after so many bytes; None: not even the answer's head."""

    def behave(handler: Handler, before: int) -> None:
        if after is not None:
            handler.head(200, ETag='"1"', Content_Length=len(content))
            handler.body(content[:after])
        time.sleep(1)

    return behave


def resets(content: bytes, after: int) -> Behaviour:
    def behave(handler: Handler, before: int) -> None:
        handler.head(200, ETag='"1"', Content_Length=len(content))
        handler.body(content[:after])
        time.sleep(0.05)  # so that these bytes are read before the reset discards them
        handler.reset()

    return behave


def no_http(handler: Handler, before: int) -> None:
    handler.wfile.write(b"220 ftp ready\r\n")


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first request meets the first behaviour, and so on; the last one stays."""

    def behave(handler: Handler, before: int) -> None:
        behaviours[min(before, len(behaviours) - 1)](handler, before)

    return behave
