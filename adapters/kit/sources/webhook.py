"""A door of the adapter's own: whoever holds the token pushes documents in, one a request.

`POST <path>` is answered 202 once the body is on the disk, in the inbox, from which documents are
brought in the order in which they came. The same `Idempotency-Key` again, or without one the same
body, is answered 202 and is no second document.
"""

import hashlib
import hmac
import io
import json
import re
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.kit.port import Brought, CannotRun, Outcome, Source
from adapters.kit.sources.files import new_file, secret, shown, suffix_of
from adapters.kit.sources.inbox import Added, Inbox, Pushed, open_inbox

_CHUNK: Final = 1 << 16
_LINGER_SECONDS: Final = 2.0
_LINGER_BYTES: Final = 1 << 20
_RETRY_AFTER: Final = 30
_LONGEST_KEY: Final = 255


class WebhookSettings(BaseModel):
    """A door at `listen` (HOST:PORT), by TLS with `certificate` and `private_key` (PEM).

    Callers show a bearer token (`token_file`) or sign the body by HMAC-SHA256, in hex
    (`hmac_file`, `signature_header`); the files are of mode 0600. `inbox`: where documents wait,
    at most `most` and `most_bytes`; `largest`: bytes of one. A request's head must arrive within
    `head_seconds`, its body within `body_seconds`. Keys are remembered for `remember_days`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["webhook"] = "webhook"
    listen: Annotated[str, Field(pattern=r"^[^:/\s]+:[0-9]{1,5}$")]
    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")] = "/"
    inbox: Path
    token_file: Path | None = None
    hmac_file: Path | None = None
    signature_header: str = "X-Signature"
    certificate: Path | None = None
    private_key: Path | None = None
    largest: Annotated[int, Field(ge=1, le=1 << 30)] = 16 << 20
    most: Annotated[int, Field(ge=1)] = 10_000
    most_bytes: Annotated[int, Field(ge=1)] = 1 << 30
    connections: Annotated[int, Field(ge=1, le=1_000)] = 64
    head_seconds: Annotated[float, Field(gt=0, le=600)] = 10
    body_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60
    remember_days: Annotated[float, Field(gt=0, le=3_650)] = 30

    @model_validator(mode="after")
    def _one_proof(self) -> "WebhookSettings":
        if (self.token_file is None) == (self.hmac_file is None):
            raise ValueError("token_file or hmac_file, one of the two")
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        return self

    @contextmanager
    def opened(self, base: Path, *, clock: Callable[[], float] = time.time) -> Iterator[Source]:
        """The door, open as long as the block lasts. Raises CannotRun, OSError."""
        proof = Proof(
            token=secret(base / self.token_file).encode() if self.token_file else None,
            key=secret(base / self.hmac_file).encode() if self.hmac_file else None,
        )
        tls = None
        if self.certificate is not None and self.private_key is not None:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(base / self.certificate, base / self.private_key)
        with open_inbox(base / self.inbox) as inbox, _listening(self, inbox, proof, tls, clock):
            yield _Pushed(self, inbox, clock)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller shows: a token, or a signature by a key."""

    token: bytes | None
    key: bytes | None


class _Pushed:
    """The source."""

    def __init__(self, settings: WebhookSettings, inbox: Inbox, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._inbox = inbox
        self._clock = clock

    def bring(self, position: str, into: Path) -> Brought | None:
        if position and not re.fullmatch(r"[0-9a-f]+-[0-9]{1,18}", position):
            raise CannotRun("所记位置不是收件箱的，请核对 adapters.toml 中的 source")
        mark, _, number = position.partition("-")
        waiting = self._inbox.after(int(number) if mark == self._inbox.mark else 0)
        if waiting is None:
            return None
        with waiting.path.open("rb") as body, new_file(into) as document:
            while chunk := body.read(_CHUNK):
                document.write(chunk)
        place = f"{self._inbox.mark}-{waiting.number}"
        called = shown(self._settings.path.strip("/").rpartition("/")[2] or "webhook")
        return Brought(f"{called}-{place}{waiting.suffix}", place)

    def finished(self, name: str, outcome: Outcome) -> None:
        named = re.search(r"-([0-9a-f]+)-([0-9]+)(?:\.[a-z]+)?$", name)
        if named is not None and named[1] == self._inbox.mark:
            days = self._settings.remember_days
            self._inbox.finish(int(named[2]), now=self._clock(), days=days)


@contextmanager
def _listening(
    settings: WebhookSettings,
    inbox: Inbox,
    proof: Proof,
    tls: ssl.SSLContext | None,
    clock: Callable[[], float],
) -> Iterator[None]:
    host, _, port = settings.listen.rpartition(":")
    door = Door(settings, inbox, proof, clock)
    try:
        server = _Server((host, int(port)), door, tls)
    except OSError as error:
        raise CannotRun(f"无法在 {settings.listen} 监听：{error.strerror}") from None
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="webhook")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Door:
    """What a request is judged by, and where it goes."""

    settings: WebhookSettings
    inbox: Inbox
    proof: Proof
    clock: Callable[[], float]


class _Server(ThreadingHTTPServer):
    """So many connections at once, each of one request; above that they are closed."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], door: Door, tls: ssl.SSLContext | None) -> None:
        self.door = door
        self._tls = tls
        self._room = BoundedSemaphore(door.settings.connections)
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        # Whoever comes in a crowd waits to be let in; the library has room for five.
        self.request_queue_size = door.settings.connections
        super().__init__(address, _Request)

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, address = super().get_request()
        if self._tls is not None:
            # The handshake is the first reading, in the thread of the connection.
            accepted = self._tls.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )
        return accepted, address

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            request.close()
            return
        with self._lock:
            self._open.add(request)
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            # No thread can be started.
            self._closed(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._closed(request)

    def _closed(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        self._room.release()

    def hang_up(self) -> None:
        """End the requests that have not arrived; those that have are answered."""
        with self._lock:
            for request in self._open:
                with suppress(OSError):
                    # Of an SSL socket this leaves the rest to its own thread.
                    socket.socket.shutdown(request, socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is the caller's affair, who pushes again."""


class _Deadlined(io.RawIOBase):
    """Reads from a socket until a moment, however slowly it comes."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """So long from now on."""
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


@dataclass(frozen=True, slots=True)
class _Problem:
    """An answer that refuses, in both languages."""

    status: int
    code: str
    title: str
    title_en: str
    retryable: bool = False


_NOT_FOUND: Final = _Problem(404, "not_found", "没有这个地址", "No such address")
_NOT_ALLOWED: Final = _Problem(405, "method_not_allowed", "请用 POST 推送", "Push by POST")
_UNPROVEN: Final = _Problem(401, "unauthorized", "口令或签名无效", "Invalid token or signature")
_NO_LENGTH: Final = _Problem(
    411, "length_required", "请写明 Content-Length，不支持分块传输", "Content-Length is needed"
)
_MALFORMED: Final = _Problem(400, "bad_request", "请求的格式无效", "Malformed request")
_CUT: Final = _Problem(400, "body_incomplete", "内容不完整，请重新推送", "Body cut short", True)
_TOO_LARGE: Final = _Problem(413, "too_large", "内容超过上限，请拆分", "Body too large")
_TOO_SLOW: Final = _Problem(408, "timeout", "内容未及时到达，请重新推送", "Body too slow", True)
_FULL: Final = _Problem(503, "inbox_full", "收件箱已满，请稍后重新推送", "Inbox is full", True)
_UNABLE: Final = _Problem(
    503, "inbox_unavailable", "暂不能保存，请稍后重新推送", "Cannot be kept for now", True
)
_KEY_REUSED: Final = _Problem(
    422,
    "idempotency_key_reused",
    "同一 Idempotency-Key 已用于其他内容",
    "Idempotency-Key was used for another body",
)


class _Request(BaseHTTPRequestHandler):
    """One request: judged, written to the disk, answered."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._reads = _Deadlined(self.connection, self.server.door.settings.head_seconds)
        self.rfile = io.BufferedReader(self._reads, _CHUNK)

    def handle_expect_100(self) -> bool:
        """Not before the caller has been judged."""
        return True

    def do_POST(self) -> None:
        refused = self._head_refused()
        if refused is None:
            refused = self._taken()
        if refused is not None:
            self._refuse(refused)

    def _head_refused(self) -> _Problem | None:
        door = self.server.door
        if self.path.partition("?")[0] != door.settings.path:
            return _NOT_FOUND
        if self.command != "POST":
            return _NOT_ALLOWED
        if door.proof.token is not None:
            given = self.headers.get("Authorization", "").encode(errors="replace")
            if not hmac.compare_digest(given, b"Bearer " + door.proof.token):
                return _UNPROVEN
        lengths = self.headers.get_all("Content-Length", [])
        if not lengths or "Transfer-Encoding" in self.headers:
            return _NO_LENGTH
        if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
            return _MALFORMED
        if len(self.headers.get("Idempotency-Key", "")) > _LONGEST_KEY:
            return _MALFORMED
        if int(lengths[0]) > door.settings.largest:
            return _TOO_LARGE
        documents, size = door.inbox.waiting()
        if documents >= door.settings.most or size >= door.settings.most_bytes:
            return _FULL
        return None

    def _taken(self) -> _Problem | None:
        """Keep the body and answer 202, or why not."""
        door, length = self.server.door, int(self.headers["Content-Length"])
        draft = door.inbox.draft()
        try:
            pushed = self._read(draft, length)
            if isinstance(pushed, _Problem):
                return pushed
            added = door.inbox.add(pushed, door.clock())
        except TimeoutError:
            return _TOO_SLOW
        except (OSError, sqlite3.Error):
            draft.unlink(missing_ok=True)
            return _UNABLE
        if added is Added.OTHER_UNDER_THE_SAME_KEY:
            return _KEY_REUSED
        status = "accepted" if added is Added.KEPT else "duplicate"
        self._answer(202, "application/json", {"status": status}, {})
        return None

    def _read(self, draft: Path, length: int) -> Pushed | _Problem:
        """Write the body to a new file; it is on the disk when this returns."""
        self._reads.allow(self.server.door.settings.body_seconds)
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        digest, key = hashlib.sha256(), self.server.door.proof.key
        signature = hmac.new(key, digestmod="sha256") if key is not None else None
        try:
            with new_file(draft) as body:
                left = length
                while left and (chunk := self.rfile.read(min(left, _CHUNK))):
                    body.write(chunk)
                    digest.update(chunk)
                    if signature is not None:
                        signature.update(chunk)
                    left -= len(chunk)
                if left:
                    raise _NotTaken(_CUT)
                if signature is not None and not self._is_signed(signature.hexdigest()):
                    raise _NotTaken(_UNPROVEN)
        except _NotTaken as refused:
            return refused.problem
        named = self.headers.get("Idempotency-Key")
        known = b"key\n" + named.encode(errors="replace") if named else b"body\n" + digest.digest()
        return Pushed(
            path=draft,
            key=hashlib.sha256(known).digest(),
            digest=digest.digest(),
            bytes=length,
            suffix=suffix_of(self.headers.get("Content-Type", "")),
        )

    def _is_signed(self, signature: str) -> bool:
        given = self.headers.get(self.server.door.settings.signature_header, "")
        told = given.strip().lower().removeprefix("sha256=").encode(errors="replace")
        return hmac.compare_digest(told, signature.encode())

    do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_POST  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request of HTTP's; nothing of it is repeated."""
        self._refuse(_Problem(code, "bad_request", _MALFORMED.title, _MALFORMED.title_en))

    def _refuse(self, problem: _Problem) -> None:
        more = {"Allow": "POST"} if problem is _NOT_ALLOWED else {}
        if problem is _UNPROVEN:
            more = {"WWW-Authenticate": "Bearer"}
        if problem.status == 503:
            more = {"Retry-After": str(_RETRY_AFTER)}
        said = {
            "type": "about:blank",
            "status": problem.status,
            "code": problem.code,
            "title": problem.title,
            "title_en": problem.title_en,
            "retryable": problem.retryable,
        }
        self._answer(problem.status, "application/problem+json", said, more)
        self._linger()

    def _answer(self, status: int, kind: str, said: object, more: dict[str, str]) -> None:
        body = json.dumps(said, ensure_ascii=False).encode()
        self.connection.settimeout(self.server.door.settings.head_seconds)
        self.close_connection = True
        # Also to whom says no version, or none that is known.
        self.request_version = self.protocol_version
        self.send_response_only(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
        for name, value in {**headers, "Cache-Control": "no-store", **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _linger(self) -> None:
        """Let the caller send on for a moment: cut off at once it would not see the answer."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self._reads.allow(_LINGER_SECONDS)
            for _ in range(0, _LINGER_BYTES, _CHUNK):
                if not self.rfile.read1(_CHUNK):
                    return

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged: their bodies are case data, and so may their paths be."""


class _NotTaken(Exception):
    """The body is not kept."""

    def __init__(self, problem: _Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem
