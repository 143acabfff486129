"""An agency's HTTP interface on a free local port, which answers as a test has it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """An answer; without a status the connection ends instead."""

    status: int | None = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Interface:
    """`answer` is what is asked for each request; `asked` are the requests so far."""

    answer: Callable[[Asked], Answer] = lambda asked: Answer(404)
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def open_interface() -> Iterator[Interface]:
    """An interface that listens."""
    interface = Interface()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers))
            interface.asked.append(asked)
            answer = interface.answer(asked)
            if answer.status is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            length = {} if answer.status in (204, 304) else {"Content-Length": len(answer.body)}
            for name, value in {**length, **answer.headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    interface.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield interface
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
