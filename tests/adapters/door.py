"""A stand-in for the hub's door: its protocol over real HTTP, and failures on demand.

It keeps events by source and id as the hub does, and nothing else of the hub.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a JSON document; `None` closes the connection without a word."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


HANG_UP = Answer(0)
Script = Callable[[Asked], Answer | None]


@dataclass(slots=True)
class Door:
    """`script` is asked first for each request and answers None to let the request pass."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    events: dict[tuple[str, str], bytes] = field(default_factory=dict)
    script: deque[Script] = field(default_factory=deque)
    rejects: Callable[[Json], list[Json]] = lambda event: []

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        scripted = self.script.popleft()(asked) if self.script else None
        return scripted or self.take(asked)

    def take(self, asked: Asked) -> Answer:
        results = [self._result(event) for event in json.loads(asked.body)]
        outcomes = {result["status"] == "rejected" for result in results}
        status = 422 if outcomes == {True} else 207 if True in outcomes else 200
        return Answer(status, {"results": results})

    def _result(self, event: Json) -> Json:
        key = (event["source"], event["id"])
        named = {"source": key[0], "id": key[1]}
        written = json.dumps(event).encode()
        if errors := self.rejects(event):
            return {**named, "status": "rejected", "errors": errors}
        if self.events.setdefault(key, written) != written:
            return {
                **named,
                "status": "rejected",
                "errors": [error("id_reused", "编号已用于其他内容")],
            }
        receipt = {"id": sha256("\n".join(key).encode()).hexdigest()[:32], "state": "registered"}
        status = "duplicate" if self._seen(key) else "accepted"
        return {**named, "status": status, "receipt": receipt}

    _known: set[tuple[str, str]] = field(default_factory=set)

    def _seen(self, key: tuple[str, str]) -> bool:
        seen = key in self._known
        self._known.add(key)
        return seen


def error(code: str, message: str, *, pointer: str = "", retryable: bool = False) -> Json:
    return {
        "code": code,
        "pointer": pointer,
        "message": message,
        "message_en": code,
        "retryable": retryable,
    }


@contextmanager
def open_door() -> Iterator[Door]:
    """A door that listens on a free local port."""
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            answer = door.answer(Asked(self.command, self.path, dict(self.headers), body))
            if answer is HANG_UP:
                self.close_connection = True
                return
            content = b"" if answer.document is None else json.dumps(answer.document).encode()
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    door.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
