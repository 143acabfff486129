"""A bare HTTP/1.1 connection, for what a well-behaved client would not send."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from io import BufferedReader
from types import TracebackType
from typing import Any, Self, cast

from tests.running import BATCH, PATIENCE, RunningHub


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class _Kept:
    """What a connection brings; it stays open: what is read ahead is of the next answer."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file

    def makefile(self, _mode: str) -> Self:
        return self

    def close(self) -> None:
        """It is closed with its connection."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Wire:
    """One connection; every read has a deadline."""

    def __init__(self, hub: RunningHub) -> None:
        self._socket = socket.create_connection(hub.address, timeout=PATIENCE)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def continued(self) -> None:
        """Wait for `100 Continue`: the hub has read the head and waits for the body."""
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            more = self._file.read(1)
            assert more, said
            said += more
        assert said.startswith(b"HTTP/1.1 100 "), said

    def answer(self) -> Answer:
        """The next answer."""
        response = HTTPResponse(cast(socket.socket, _Kept(self._file)))
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def ended(self) -> bool:
        """Whether the hub ends the connection; what it still sends is read."""
        try:
            while self._file.read1():
                pass
        except ConnectionResetError:
            pass
        return True


def head(
    path: str, token: str, *, method: str = "POST", length: int | None = None, **more: str
) -> bytes:
    """The head of a request; further headers by name, `_` for `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: hub", f"Authorization: Bearer {token}"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    given = {"Content_Type": BATCH, **more} if method == "POST" else more
    lines.extend(f"{name.replace('_', '-')}: {value}" for name, value in given.items())
    return "\r\n".join([*lines, "", ""]).encode()


def publishing(token: str, body: bytes) -> bytes:
    """A whole request that publishes a batch."""
    return head("/v1/events", token, length=len(body)) + body
