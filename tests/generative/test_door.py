"""Anything may come to the door: it is answered in good form, and nothing of it is told on.

What is sent is full of canaries, as values, member names, header names and header values; none may
show in the log, the metrics, or the words of an answer.
"""

import json
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import BATCH, PATIENCE, STRUCTURED, RunningHub
from tests.sample import CITY, DISCIPLINE, PETITION, Members, clue, petition, tree_of

EXAMPLES = 300
CANARY = "canary7e1"
Header = tuple[bytes, bytes]

generative = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the connection."""

    status: int
    media: str
    body: bytes


class Door:
    """Sends the bytes of requests to a hub, well formed or not, and judges every answer."""

    def __init__(self, hub: RunningHub, agency: str) -> None:
        address = urlsplit(hub.url)
        self._address = (address.hostname, address.port)
        self._token = hub.token(agency).encode()
        self.statuses: set[int] = set()
        self.accepted: set[str] = set()

    def post(self, headers: Iterable[Header], body: bytes, *, query: str = "") -> None:
        """Send one request, and check its answer."""
        lines = [
            b"POST /v1/events%b HTTP/1.1" % query.encode(),
            b"Host: hub",
            b"Authorization: Bearer %b" % self._token,
            b"Content-Length: %d" % len(body),
            b"Connection: close",
            *(b"%b: %b" % header for header in headers),
        ]
        with closing(socket.create_connection(self._address, timeout=PATIENCE)) as connection:
            connection.sendall(b"\r\n".join([*lines, b"", body]))
            with closing(HTTPResponse(connection)) as response:
                response.begin()
                answer = Answer(
                    response.status, response.headers.get_content_type(), response.read()
                )
        self.statuses.add(answer.status)
        self.accepted.update(judge(answer))


def judge(answer: Answer) -> list[str]:
    """Check the form of an answer; the ids of the events that were accepted."""
    assert answer.status < 500, answer
    told = json.loads(answer.body)
    results = told.get("results", [])
    if answer.media == "application/problem+json":
        form = {name: type(value) for name, value in told.items()}
        assert form == {
            "type": str,
            "status": int,
            "code": str,
            "title": str,
            "title_en": str,
            "detail": str,
            "retryable": bool,
            **{name: list for name in ("results", "errors") if name in told},
        }
        assert (told["status"], told["type"]) == (
            answer.status,
            f"urn:guantong:problem:{told['code']}",
        )
        assert ("results" in told) == (answer.status == 422)
    else:
        assert (answer.media, told.keys()) == ("application/json", {"results"})
    for result in results:
        judge_result(result)
    if results or answer.status < 300:
        rejected = sum(result["status"] == "rejected" for result in results)
        assert answer.status == (200 if not rejected else 422 if rejected == len(results) else 207)
    # The sender's own names for its events are the only words of its own that it hears again.
    for result in results:
        del result["source"], result["id"]
        if result["receipt"]:
            del result["receipt"]["source"], result["receipt"]["event_id"]
    assert CANARY not in json.dumps(told, ensure_ascii=False).lower()
    return [r["receipt"]["id"] for r in results if r["status"] == "accepted"]


def judge_result(result: dict[str, Any]) -> None:
    """Check the form of what is said of one event."""
    assert result.keys() == {"source", "id", "status", "receipt", "errors"}
    if result["status"] == "rejected":
        assert result["receipt"] is None
        assert result["errors"] != []
    else:
        assert result["status"] in ("accepted", "duplicate")
        assert result["errors"] == []
        receipt = result["receipt"]
        assert (receipt["source"], receipt["event_id"], receipt["state"]) == (
            result["source"],
            result["id"],
            "registered",
        )
    for error in result["errors"]:
        assert error.keys() == {"code", "pointer", "message", "message_en", "retryable"}
        assert re.fullmatch("[a-z0-9_]+", error["code"])
        assert re.fullmatch("(/[^/]+)*", error["pointer"])
        assert error["message"] and error["message_en"] and error["retryable"] is False


def assert_unharmed(hub: RunningHub, door: Door, *, statuses: set[int]) -> None:
    """The hub goes on, gives what it accepted, and has told nobody else of what came."""
    assert {400, 422} <= door.statuses <= statuses
    delivered = {event["hubreceipt"] for event in hub.agency(DISCIPLINE).drain()}
    assert delivered <= door.accepted
    with hub.admin as admin:
        assert admin.get("/health/ready").json() == {"status": "ready"}
        metrics = admin.get("/metrics").text
    assert CANARY not in metrics.lower()
    assert "guantong_errors_total 0.0" in metrics
    assert hub.agency(PETITION).publish(petition("afterwards")).status_code == 200
    assert hub.stop() == 0
    assert [line for line in hub.lines if CANARY in line.lower()] == []
    levels = {json.loads(line)["level"] for line in hub.lines}
    assert levels <= {"info", "warning"}


MEDIA = (
    BATCH,
    STRUCTURED,
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=gb18030",
    "application/cloudevents+avro",
    "text/plain",
    f"application/{CANARY}",
    "",
)
# Pieces that lead a parser astray, and canaries among them.
PIECES = st.sampled_from(
    (
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b'"',
        b'"id"',
        b'"data"',
        b'"source"',
        b"\\",
        b"\\ud800",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"null",
        b"true",
        b"NaN",
        b"-0",
        b"1e999",
        b"9" * 5000,
        b"[" * 40,
        b'{"a":' * 40,
        b" \r\n\t",
        CANARY.encode(),
        f'"{CANARY}"'.encode(),
    )
)
RANDOM_BYTES = st.one_of(
    st.binary(max_size=64), st.lists(PIECES | st.binary(max_size=3), max_size=12).map(b"".join)
)


def test_random_bytes_of_any_type_get_a_proper_answer(fresh_hub: RunningHub) -> None:
    fresh_hub.agency(DISCIPLINE).subscribe()
    door = Door(fresh_hub, PETITION)

    @generative
    @given(media=st.sampled_from(MEDIA), body=RANDOM_BYTES)
    def send(media: str, body: bytes) -> None:
        door.post([(b"Content-Type", media.encode())] if media else [], body)

    send()
    assert_unharmed(fresh_hub, door, statuses={200, 400, 415, 422})


def written(tree: Any, *, ascii_only: bool) -> str:
    """A tree as JSON."""
    if isinstance(tree, Members):
        pairs = (
            f"{json.dumps(name, ensure_ascii=ascii_only)}:{written(held, ascii_only=ascii_only)}"
            for name, held in tree.pairs
        )
        return f"{{{','.join(pairs)}}}"
    if isinstance(tree, tuple):
        return f"[{','.join(written(item, ascii_only=ascii_only) for item in tree)}]"
    return json.dumps(tree, ensure_ascii=ascii_only)


TEXTS = st.one_of(
    st.sampled_from(
        (
            CANARY,
            f"hub{CANARY}",
            CANARY.upper(),
            "",
            " ",
            "\x00",
            "\x7f",
            "\ud800",
            "\u202e" + CANARY,
            "%00%zz",
            '":"',
            "\\",
            "𠮷" * 30,
            CANARY * 300,
            "1.0",
            "/510100.petition",
            "/510100.petition/../510100.audit",
            "urn:guantong:contract:clue.transferred:1.0",
            "9999-12-31T23:59:60+23:59",
            "0000-00-00T00:00:00Z",
            "2026-10-08T09:30:00.123456789-23:59",
            "0001-01-01T00:00:00+08:00",
            "inspection-office@510100/**",
            f"inspection-office@{CANARY}",
            "juemi",
            "petition:XF-1",
            "f" * 32,
        )
    ),
    st.text(max_size=8),
)
SCALARS = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.sampled_from((0, -1, 2**31, 2**63, 2**64, -(10**40), 1.5, -0.0, 1e308, float("nan"))),
)
TREES = st.recursive(
    SCALARS,
    lambda inside: st.one_of(
        st.lists(inside, max_size=3).map(tuple),
        st.lists(st.tuples(TEXTS, inside), max_size=3).map(lambda pairs: Members(tuple(pairs))),
    ),
    max_leaves=6,
)
NAMES = st.one_of(
    st.sampled_from(
        (
            "id",
            "data",
            "data_base64",
            "datacontenttype",
            "hubposition",
            "caveats",
            "region",
            "to",
            "cc",
            "expirytime",
            "partitionkey",
            "causationid",
            "dataclassification",
            "recordedtime",
            "phase",
            "traceparent",
        )
    ),
    TEXTS,
)


def nested(depth: int) -> Any:
    """Arrays in arrays."""
    tree: Any = CANARY
    for _ in range(depth):
        tree = (tree,)
    return tree


CHANGES = ("inside", "inside", "inside", "remove", "rename", "repeat", "add")
REPLACEMENTS: st.SearchStrategy[Any] = st.one_of(TREES, st.integers(1, 50).map(nested))


@st.composite
def mutated(draw: st.DrawFn, tree: Any) -> Any:
    """A tree with one change somewhere inside it."""
    if isinstance(tree, Members) and tree.pairs and draw(st.integers(0, 7)) > 0:
        place = draw(st.integers(0, len(tree.pairs) - 1))
        name, held = tree.pairs[place]
        before, after = tree.pairs[:place], tree.pairs[place + 1 :]
        changed: tuple[Any, ...]
        match draw(st.sampled_from(CHANGES)):
            case "inside":
                changed = ((name, draw(mutated(held))),)
            case "remove":
                changed = ()
            case "rename":
                changed = ((draw(NAMES), held),)
            case "repeat":
                changed = ((name, held), (name, draw(st.one_of(st.just(held), TREES))))
            case _:
                changed = ((name, held), (draw(NAMES), draw(TREES)))
        return Members((*before, *changed, *after))
    if isinstance(tree, tuple) and tree and draw(st.integers(0, 3)) > 0:
        place = draw(st.integers(0, len(tree) - 1))
        return (*tree[:place], draw(mutated(tree[place])), *tree[place + 1 :])
    return draw(REPLACEMENTS)


@st.composite
def mutated_data(draw: st.DrawFn, tree: Any) -> Any:
    """An event with one change inside its payload."""
    if not isinstance(tree, Members):
        return tree
    pairs = ((n, draw(mutated(held)) if n == "data" else held) for n, held in tree.pairs)
    return Members(tuple(pairs))


SAMPLES = tuple(
    tree_of(sample)
    for sample in (
        petition(f"{CANARY}-1", subject=CANARY, data={"summary": CANARY}),
        petition(f"{CANARY}-2", region="510104", to=DISCIPLINE, cc=CITY, phase="on"),
        clue(f"{CANARY}-3", publisher=PETITION),
    )
)


@st.composite
def mutated_events(draw: st.DrawFn) -> Any:
    """A sample with up to three changes, and an id of its own more often than not."""
    tree = draw(st.sampled_from(SAMPLES))
    number = draw(st.integers(0, 10**6))
    if draw(st.integers(0, 4)):
        pairs = ((n, f"{CANARY}-{number}" if n == "id" else held) for n, held in tree.pairs)
        tree = Members(tuple(pairs))
    for _ in range(draw(st.integers(0, 3))):
        tree = draw(mutated(tree) if draw(st.booleans()) else mutated_data(tree))
    return tree


@st.composite
def encoded(draw: st.DrawFn, tree: Any) -> bytes:
    """The bytes of a tree; now and then damaged."""
    text = written(tree, ascii_only=draw(st.booleans()))
    document = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(document)))
        return document[:place] + draw(RANDOM_BYTES) + document[place + draw(st.integers(0, 9)) :]
    return document


QUERIES = st.sampled_from(("", "", "?mode=each", "?mode=all", "?mode=all", f"?mode={CANARY}"))


def test_a_mutated_event_gets_a_proper_answer(fresh_hub: RunningHub) -> None:
    fresh_hub.agency(DISCIPLINE).subscribe()
    door = Door(fresh_hub, PETITION)

    @generative
    @given(data=st.data(), tree=mutated_events(), query=QUERIES)
    def send(data: st.DataObject, tree: Any, query: str) -> None:
        document = data.draw(encoded(tree))
        door.post([(b"Content-Type", STRUCTURED.encode())], document, query=query)

    send()
    assert_unharmed(fresh_hub, door, statuses={200, 400, 422})


def test_mutated_events_of_a_batch_get_a_proper_answer(fresh_hub: RunningHub) -> None:
    fresh_hub.agency(DISCIPLINE).subscribe()
    door = Door(fresh_hub, PETITION)

    @generative
    @given(data=st.data(), trees=st.lists(mutated_events(), max_size=4), query=QUERIES)
    def send(data: st.DataObject, trees: list[Any], query: str) -> None:
        body = b"[%b]" % b",".join(data.draw(encoded(tree)) for tree in trees)
        door.post([(b"Content-Type", BATCH.encode())], body, query=query)

    send()
    assert_unharmed(fresh_hub, door, statuses={200, 207, 400, 422})


def as_published(value: str) -> bytes:
    """An attribute as the binding asks for it."""
    return quote(value.encode("utf-8", "surrogatepass"), safe=" /:+@.*-_").encode()


def raw(value: str) -> bytes:
    """An attribute as a careless client sends it."""
    return re.sub(rb"[\x00-\x1f\x7f]", b"?", value.encode("utf-8", "surrogatepass"))


def with_control_characters(value: str) -> bytes:
    """An attribute that no HTTP header may hold."""
    return raw(value) + b"\x01\x0b\x7f"


ENCODINGS: Sequence[Callable[[str], bytes]] = (
    *[as_published] * 6,
    raw,
    lambda value: as_published(value) + b"%",
    lambda value: as_published(value) + b"%FF%0A",
    lambda value: quote(as_published(value)).encode(),
    with_control_characters,
)
NO_HEADERS: tuple[Header, ...] = ()
HOSTILE: Sequence[tuple[Header, ...]] = (
    *[NO_HEADERS] * 8,
    ((b"ce-", b"empty"),),
    ((b"ce-id", CANARY.encode()),),
    ((b"CE-SOURCE", b"/510100.petition"),),
    ((f"ce-{CANARY}".encode(), b"once"),),
    ((f"ce-{CANARY}".encode(), b"1"), (f"ce-{CANARY}".encode(), b"2")),
    ((f"ce-{CANARY}_{CANARY}".encode(), b"under_score"),),
    ((f"ce-{CANARY}'s".encode(), b"quoted"),),
    ((b"ce-data", CANARY.encode()),),
    ((b"ce-data_base64", CANARY.encode()),),
    ((b"ce-datacontenttype", b"application/json"),),
    ((b"ce-hubposition", b"0-1"),),
    ((b"ce-subject", CANARY.encode() * 400),),
    ((b"ce-comment", "反映".encode()),),
    ((b"ce-flag", b"true"),),
    ((b"Content-Type", b"application/json"),),
    ((b"Content-Encoding", b"gzip"), (b"Cookie", CANARY.encode())),
    ((b"traceparent", CANARY.encode()), (b"X-Forwarded-For", CANARY.encode())),
    ((CANARY.encode(), CANARY.encode()), (b"User-Agent", CANARY.encode())),
)


def test_a_mutated_event_in_headers_gets_a_proper_answer(fresh_hub: RunningHub) -> None:
    fresh_hub.agency(DISCIPLINE).subscribe()
    door = Door(fresh_hub, PETITION)

    @generative
    @given(
        data=st.data(),
        tree=mutated_events(),
        hostile=st.sampled_from(HOSTILE),
        query=QUERIES,
    )
    def send(data: st.DataObject, tree: Any, hostile: tuple[Header, ...], query: str) -> None:
        pairs = tree.pairs if isinstance(tree, Members) else ()
        headers: list[Header] = [(b"Content-Type", b"application/json")]
        body = b""
        for name, value in pairs:
            if name == "data":
                body = data.draw(encoded(value))
            elif name != "datacontenttype" and re.fullmatch("[a-z0-9_]+", name):
                text = value if isinstance(value, str) else written(value, ascii_only=True)
                encode = data.draw(st.sampled_from(ENCODINGS))
                headers.append((f"ce-{name}".encode(), encode(text)))
        door.post([*headers, *hostile], body, query=query)

    send()
    assert_unharmed(fresh_hub, door, statuses={200, 400, 415, 422})
