"""The adapter's own door: who may push, what is kept, and what callers are answered."""

import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from adapters.kit.port import Brought, CannotRun, Source
from adapters.kit.sources.webhook import WebhookSettings
from deploy.local.loopback import reserved_port
from tests.adapters.sources.stands import CLEAN, written

NOW = 1_791_123_200.0


@dataclass
class Pusher:
    """A door's settings, and a caller of it."""

    base: Path
    port: int
    client: httpx.Client
    now: float = NOW

    @contextmanager
    def opened(self, **settings: Any) -> Iterator[Source]:
        proof = {} if "hmac_file" in settings else {"token_file": Path("token")}
        asked: dict[str, Any] = {"path": "/push/xfj", "inbox": Path("inbox"), **proof, **settings}
        made = WebhookSettings(listen=f"127.0.0.1:{self.port}", **asked)
        with made.opened(self.base, clock=lambda: self.now) as source:
            yield source

    def push(
        self, content: bytes = b"{}", path: str = "/push/xfj", **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, content=content, headers=named)

    def raw(self, request: bytes) -> bytes:
        """What is answered to bytes that need not be HTTP."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65_536):
                answer += part
        return answer


@pytest.fixture
def pusher(tmp_path: Path) -> Iterator[Pusher]:
    written(tmp_path / "token", "t0ken")
    with reserved_port() as reserved:
        port = reserved.getsockname()[1]
        headers = {"Authorization": "Bearer t0ken"}
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False
        ) as client:
            yield Pusher(tmp_path, port, client)


def bring_all(source: Source, raw: Path) -> dict[str, bytes]:
    """The documents that wait, by name."""
    position, brought = "", {}
    while (document := source.bring(position, raw)) is not None:
        brought[document.name] = raw.read_bytes()
        raw.unlink()
        position = document.position
    return brought


def test_what_was_answered_for_is_brought_once_in_the_order_in_which_it_came(
    pusher: Pusher,
) -> None:
    with pusher.opened():
        answers = [pusher.push(b"<a/>", Content_Type="text/xml; charset=utf-8"), pusher.push(b"b")]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == {"status": "accepted"}
    with pusher.opened() as source:
        names = bring_all(source, pusher.base / "raw")
        assert list(names.values()) == [b"<a/>", b"b"]
        assert [name.rpartition("-")[2] for name in names] == ["1.xml", "2"]
        for name in names:
            source.finished(name, CLEAN)
            source.finished(name, CLEAN)
        assert bring_all(source, pusher.base / "raw") == {}
    assert [path.name for path in (pusher.base / "inbox").iterdir()] == ["inbox.db"]


def test_the_same_again_is_a_duplicate_also_when_it_was_finished(pusher: Pusher) -> None:
    with pusher.opened() as source:
        pusher.push(b"one")
        assert pusher.push(b"one").json() == {"status": "duplicate"}
        (name,) = bring_all(source, pusher.base / "raw")
        source.finished(name, CLEAN)
        assert pusher.push(b"one").json() == {"status": "duplicate"}
    with pusher.opened() as source:
        assert (again := pusher.push(b"one")).status_code == 202
        assert again.json() == {"status": "duplicate"}
        assert bring_all(source, pusher.base / "raw") == {}


SERVING = """
import sys, threading
from pathlib import Path
from adapters.kit.sources.webhook import WebhookSettings
base, port = Path(sys.argv[1]), sys.argv[2]
settings = WebhookSettings(
    listen=f"127.0.0.1:{port}", path="/push/xfj", inbox=base / "inbox", token_file=base / "token"
)
with settings.opened(base):
    print("open", flush=True)
    threading.Event().wait()
"""


def test_what_was_answered_for_outlives_kill_9(pusher: Pusher) -> None:
    command = [sys.executable, "-c", SERVING, str(pusher.base), str(pusher.port)]
    for number in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
            assert serving.stdout is not None
            assert serving.stdout.readline() == "open\n"
            # Another is under way at that moment.
            with socket.create_connection(("127.0.0.1", pusher.port)) as connection:
                connection.sendall(AUTHORIZED + b"\r\nfour")
                assert pusher.push(f"document {number}".encode()).status_code == 202
                serving.kill()
    with pusher.opened() as source:
        documents = bring_all(source, pusher.base / "raw")
    assert list(documents.values()) == [b"document 0", b"document 1"]
    assert sorted(path.name for path in (pusher.base / "inbox").iterdir()) == ["1", "2", "inbox.db"]


def test_a_key_names_one_body(pusher: Pusher) -> None:
    with pusher.opened() as source:
        assert pusher.push(b"one", Idempotency_Key="k-1").json() == {"status": "accepted"}
        assert pusher.push(b"one", Idempotency_Key="k-2").json() == {"status": "accepted"}
        assert pusher.push(b"one", Idempotency_Key="k-1").json() == {"status": "duplicate"}
        refused = pusher.push(b"two", Idempotency_Key="k-1")
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert list(bring_all(source, pusher.base / "raw").values()) == [b"one", b"one"]


def test_keys_are_forgotten_after_their_time(pusher: Pusher) -> None:
    with pusher.opened(remember_days=1) as source:
        pusher.push(b"one")
        pusher.push(b"two")
        first, second = bring_all(source, pusher.base / "raw")
        source.finished(first, CLEAN)
        pusher.now += 86_401
        source.finished(second, CLEAN)
        assert pusher.push(b"one").json() == {"status": "accepted"}


def test_a_new_inbox_in_the_old_place_is_brought_from_its_beginning(pusher: Pusher) -> None:
    raw = pusher.base / "raw"
    with pusher.opened() as source:
        pusher.push(b"one")
        first = source.bring("", raw)
        assert first is not None
    (pusher.base / "inbox").rename(pusher.base / "gone")
    raw.unlink()
    with pusher.opened() as source:
        pusher.push(b"two")
        source.finished(first.name, CLEAN)
        second = source.bring(first.position, raw)
        assert isinstance(second, Brought)
        assert (second.name != first.name, raw.read_bytes()) == (True, b"two")


def refused(answer: httpx.Response) -> tuple[int, str]:
    said = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said["status"] == answer.status_code
    assert said["title"] and said["title_en"]
    return answer.status_code, said["code"]


def test_only_the_token_opens(pusher: Pusher) -> None:
    with pusher.opened() as source:
        for shown in ("Bearer t0kem", "Bearer", "Bearer t0ken2", "Basic t0ken", "", "Bearer tökén"):
            named = [(b"Authorization", shown.encode("latin-1"))]
            answer = pusher.client.post("/push/xfj", content=b"x", headers=named)
            assert refused(answer) == (401, "unauthorized")
        assert bring_all(source, pusher.base / "raw") == {}


def test_a_signature_is_of_the_very_body(pusher: Pusher) -> None:
    written(pusher.base / "key", "k3y")
    signature = hmac.new(b"k3y", b"signed", hashlib.sha256).hexdigest()
    with pusher.opened(hmac_file=Path("key"), signature_header="X-Hub-Signature") as source:
        assert refused(pusher.push(b"signed")) == (401, "unauthorized")
        assert refused(pusher.push(b"other", X_Hub_Signature=signature)) == (401, "unauthorized")
        assert pusher.push(b"signed", X_Hub_Signature=f"sha256={signature}").status_code == 202
        assert list(bring_all(source, pusher.base / "raw").values()) == [b"signed"]
    left = [path.name for path in (pusher.base / "inbox").iterdir()]
    assert sorted(left) == ["1", "inbox.db"]


def test_what_cannot_be_taken_is_refused_before_its_body_is_read(pusher: Pusher) -> None:
    with pusher.opened(largest=10):
        assert refused(pusher.push(b"x" * 11)) == (413, "too_large")
        assert refused(pusher.push(path="/push/xfj2")) == (404, "not_found")
        assert refused(pusher.client.get("/push/xfj")) == (405, "method_not_allowed")
        chunked = pusher.client.post("/push/xfj", content=iter([b"x"]))
        assert refused(chunked) == (411, "length_required")
        assert refused(pusher.push(Idempotency_Key="k" * 256)) == (400, "bad_request")
        assert pusher.push(b"x" * 10).status_code == 202


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"no HTTP at all\r\n\r\n", b"400"),
        (b"POST /push/xfj HTTP/9.9\r\n\r\n", b"505"),
        (b"BREW /push/xfj HTTP/1.1\r\n\r\n", b"501"),
        (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (
            b"POST / HTTP/1.1\r\n" + b"".join(b"A%d: x\r\n" % n for n in range(200)) + b"\r\n",
            b"431",
        ),
        (
            b"POST /push/xfj HTTP/1.1\r\nAuthorization: Bearer t0ken\r\n"
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"400",
        ),
        (
            b"POST /push/xfj HTTP/1.1\r\nAuthorization: Bearer t0ken\r\nContent-Length: -1\r\n\r\n",
            b"400",
        ),
    ],
)
def test_what_is_no_request_is_answered_as_well(
    pusher: Pusher, request_: bytes, status: bytes
) -> None:
    with pusher.opened():
        answer = pusher.raw(request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == status
    assert json.loads(body)["code"] == "bad_request"


AUTHORIZED = b"POST /push/xfj HTTP/1.1\r\nAuthorization: Bearer t0ken\r\nContent-Length: 9\r\n"


def test_a_body_that_ends_early_or_comes_too_slowly_is_not_kept(pusher: Pusher) -> None:
    with pusher.opened(body_seconds=0.2) as source:
        assert b" 408 " in pusher.raw(AUTHORIZED + b"\r\nfour")
        assert bring_all(source, pusher.base / "raw") == {}
    with pusher.opened() as source:
        with socket.create_connection(("127.0.0.1", pusher.port)) as connection:
            connection.sendall(AUTHORIZED + b"\r\nfour")
            connection.shutdown(socket.SHUT_WR)
            assert b" 400 " in connection.recv(65_536)
        assert bring_all(source, pusher.base / "raw") == {}
    with pusher.opened(head_seconds=0.2) as source:
        # Of a head that does not come there is nobody to answer.
        assert pusher.raw(AUTHORIZED) == b""
        assert bring_all(source, pusher.base / "raw") == {}
    assert [path.name for path in (pusher.base / "inbox").iterdir()] == ["inbox.db"]


def test_a_caller_who_asks_first_is_told_to_go_on(pusher: Pusher) -> None:
    with pusher.opened() as source:
        with socket.create_connection(("127.0.0.1", pusher.port)) as connection:
            connection.sendall(AUTHORIZED + b"Expect: 100-continue\r\n\r\n")
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"nine here")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 202 ")
        assert list(bring_all(source, pusher.base / "raw").values()) == [b"nine here"]


def test_a_full_inbox_asks_to_wait_until_there_is_room(pusher: Pusher) -> None:
    for bound in ({"most": 1}, {"most_bytes": 3}):
        with pusher.opened(**bound) as source:
            assert pusher.push(f"{bound}".encode()).status_code == 202
            full = pusher.push(b"two")
            assert (*refused(full), full.headers["Retry-After"]) == (503, "inbox_full", "30")
            (name,) = bring_all(source, pusher.base / "raw")
            source.finished(name, CLEAN)
            assert pusher.push(f"two {bound}".encode()).status_code == 202
            for name in bring_all(source, pusher.base / "raw"):
                source.finished(name, CLEAN)


def test_where_nothing_can_be_written_nothing_is_answered_for(pusher: Pusher) -> None:
    with pusher.opened():
        pusher.push(b"one")
        (pusher.base / "inbox").rename(pusher.base / "moved")
        assert refused(pusher.push(b"two")) == (503, "inbox_unavailable")
        (pusher.base / "moved").rename(pusher.base / "inbox")
        assert pusher.push(b"two").json() == {"status": "accepted"}


def test_many_who_push_at_once_are_all_kept(pusher: Pusher) -> None:
    bodies = {f"body {number}".encode() for number in range(24)}
    with pusher.opened() as source:
        threads = [Thread(target=pusher.push, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(bring_all(source, pusher.base / "raw").values()) == bodies


def test_above_so_many_connections_others_are_turned_away(pusher: Pusher) -> None:
    with pusher.opened(connections=1), socket.create_connection(("127.0.0.1", pusher.port)) as idle:
        idle.sendall(AUTHORIZED)
        with pytest.raises(httpx.TransportError):
            for _ in range(100):
                pusher.push(b"one")


def test_the_end_waits_for_nobody_who_is_still_sending(pusher: Pusher) -> None:
    with pusher.opened(body_seconds=600):
        connection = socket.create_connection(("127.0.0.1", pusher.port))
        connection.sendall(AUTHORIZED + b"Expect: 100-continue\r\n\r\n")
        assert b"100" in connection.recv(100)
    with connection:
        assert b" 400 " in connection.recv(65_536)


def test_it_speaks_tls(pusher: Pusher) -> None:
    certificate, key = pusher.base / "certificate.pem", pusher.base / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    names = ["-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *names, *files], check=True, capture_output=True)
    with pusher.opened(certificate=certificate, private_key=key) as source:
        answer = httpx.post(
            f"https://127.0.0.1:{pusher.port}/push/xfj",
            content=b"one",
            headers={"Authorization": "Bearer t0ken"},
            verify=ssl.create_default_context(cafile=certificate),
            trust_env=False,
        )
        assert answer.status_code == 202
        assert (
            pusher.raw(b"no TLS at all, and not a word of it is understood\r\n\r\n")[:5] != b"HTTP/"
        )
        assert list(bring_all(source, pusher.base / "raw").values()) == [b"one"]


def test_one_process_has_the_inbox_and_one_the_port(pusher: Pusher) -> None:
    with pusher.opened():
        with pytest.raises(CannotRun, match="inbox"), pusher.opened():
            pass
        with pytest.raises(CannotRun, match="无法在"), pusher.opened(inbox=Path("another")):
            pass


def test_a_door_without_proof_is_refused() -> None:
    asked: dict[str, Any] = {"listen": "127.0.0.1:1", "inbox": "inbox"}
    for wrong in (
        {},
        {"token_file": "t", "hmac_file": "k"},
        {"token_file": "t", "certificate": "c"},
        {"token_file": "t", "path": "no path"},
    ):
        with pytest.raises(ValidationError):
            WebhookSettings.model_validate(asked | wrong)
