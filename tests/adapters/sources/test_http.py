"""An interface asked by HTTP: pages, what is new, tokens, and answers from hell."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.kit.port import Away, CannotRun
from adapters.kit.sources.http import HttpSettings
from tests.adapters.sources.interface import Answer, Asked, Interface, open_interface

NOW = 1_791_123_200.0


@pytest.fixture
def interface() -> Iterator[Interface]:
    with open_interface() as interface:
        yield interface


@dataclass
class Puller:
    """Brings from an interface, keeping the position."""

    interface: Interface
    base: Path
    position: str = ""
    names: list[str] = field(default_factory=list)
    now: float = NOW

    def bring(self, **settings: Any) -> bytes | None:
        """The next document."""
        url = self.interface.url + settings.pop("path", "/api/xfj")
        raw = self.base / "raw"
        made = HttpSettings.model_validate({"url": url, **settings})
        with made.opened(self.base, clock=lambda: self.now) as source:
            brought = source.bring(self.position, raw)
        if brought is None:
            assert not raw.exists()
            return None
        self.position = brought.position
        self.names.append(brought.name)
        body = raw.read_bytes()
        raw.unlink()
        return body

    def all(self, **settings: Any) -> list[Any]:
        """The items of all documents there are."""
        found = []
        while (body := self.bring(**settings)) is not None:
            found.append(json.loads(body)["data"]["list"])
        return found


@pytest.fixture
def puller(interface: Interface, tmp_path: Path) -> Puller:
    return Puller(interface, tmp_path)


def listed(items: list[Any], **more: Any) -> Answer:
    """An answer with a list in it, and something that always differs."""
    said = {"code": 0, "at": os.urandom(4).hex(), "data": {"list": items, **more}}
    return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})


def numbered(items: list[Any]) -> Callable[[Asked], Answer]:
    """Pages of two by number."""

    def answer(asked: Asked) -> Answer:
        start = 2 * (int(asked.parameters["page"]) - 1)
        return listed(items[start : start + 2])

    return answer


BY_PAGE = {"paging": {"by": "page", "size": 2}, "items": "data.list"}


def test_pages_by_number_come_once_and_again_when_they_say_something_else(
    interface: Interface, puller: Puller
) -> None:
    items = [1, 2, 3, 4, 5]
    interface.answer = numbered(items)
    assert puller.all(**BY_PAGE) == [[1, 2], [3, 4], [5]]
    assert puller.names == ["xfj-1.json", "xfj-2.json", "xfj-3.json"]
    assert puller.all(**BY_PAGE) == []
    items.append(6)
    assert puller.all(**BY_PAGE) == [[5, 6]]
    items[0] = 0
    items.append(7)
    assert puller.all(**BY_PAGE) == [[7], [0, 2]]
    assert puller.all(**BY_PAGE) == []


def test_without_a_size_pages_end_with_an_empty_one(interface: Interface, puller: Puller) -> None:
    interface.answer = numbered([1, 2, 3])
    asked = {"paging": {"by": "page"}, "items": "data.list"}
    assert puller.all(**asked) == [[1, 2], [3]]
    assert puller.all(**asked) == []


def test_pages_by_offset(interface: Interface, puller: Puller) -> None:
    items = [1, 2, 3, 4]

    def answer(asked: Asked) -> Answer:
        start, size = int(asked.parameters["start"]), int(asked.parameters["rows"])
        return listed(items[start : start + size])

    interface.answer = answer
    paging = {"by": "offset", "parameter": "start", "size": 2, "size_parameter": "rows"}
    assert puller.all(paging=paging, items="data.list") == [[1, 2], [3, 4]]
    items.append(5)
    assert puller.all(paging=paging, items="data.list") == [[5]]


def test_pages_by_cursor_go_on_from_the_last_when_there_is_more(
    interface: Interface, puller: Puller
) -> None:
    items = [1, 2, 3]

    def answer(asked: Asked) -> Answer:
        start = int(asked.parameters.get("cursor", 0))
        return listed(items[start : start + 2], next=min(start + 2, len(items)))

    interface.answer = answer
    asked = {"paging": {"by": "cursor", "next": "data.next"}, "items": "data.list"}
    assert puller.all(**asked) == [[1, 2], [3]]
    requests = len(interface.asked)
    assert puller.all(**asked) == []
    assert len(interface.asked) == requests + 1
    items += [4, 5]
    assert puller.all(**asked) == [[4, 5]]


def test_a_cursor_that_ends_begins_again(interface: Interface, puller: Puller) -> None:
    pages = {"": ([1], "b"), "b": ([], "c"), "c": ([2], None)}

    def answer(asked: Asked) -> Answer:
        items, following = pages[asked.parameters.get("cursor", "")]
        return listed(items, next=following)

    interface.answer = answer
    asked = {"paging": {"by": "cursor", "next": "data.next"}, "items": "data.list"}
    assert puller.all(**asked) == [[1], [2]]
    pages["c"] = ([2, 3], None)
    assert puller.all(**asked) == [[2, 3]]


def test_pages_by_link_stay_on_their_server(interface: Interface, puller: Puller) -> None:
    links = {"": '</api/xfj?p=2>; rel="next", </api/xfj>; rel="first"', "2": ""}

    def answer(asked: Asked) -> Answer:
        page = asked.parameters.get("p", "")
        return Answer(200, f"page {page}".encode(), {"Link": links[page]})

    interface.answer = answer
    assert puller.bring(paging={"by": "link"}) == b"page "
    assert puller.bring(paging={"by": "link"}) == b"page 2"
    assert puller.bring(paging={"by": "link"}) is None
    links["2"] = '<http://127.0.0.2:1/>; rel="next"'
    interface.answer = lambda asked: Answer(200, b"new", {"Link": links["2"]})
    assert puller.bring(paging={"by": "link"}) == b"new"
    with pytest.raises(CannotRun, match="别的服务器"):
        puller.bring(paging={"by": "link"})


def newer_than(items: list[dict[str, str]]) -> Callable[[Asked], Answer]:
    """Pages of two of what is newer than a condition says."""

    def answer(asked: Asked) -> Answer:
        after = asked.parameters.get("where", "gxsj>''")[6:-1]
        start = 2 * (int(asked.parameters["page"]) - 1)
        return listed([item for item in items if item["t"] > after][start : start + 2])

    return answer


NEWER = {"parameter": "where", "value": "t", "template": "gxsj>'{}'"}


def test_a_next_page_that_is_no_address_is_away(interface: Interface, puller: Puller) -> None:
    interface.answer = lambda asked: Answer(
        200, b"new", {"Link": '<http://host:port/>; rel="next"'}
    )
    assert puller.bring(paging={"by": "link"}) == b"new"
    with pytest.raises(Away, match="无效"):
        puller.bring(paging={"by": "link"})


def test_only_what_is_newer_is_asked_for(interface: Interface, puller: Puller) -> None:
    items = [{"t": "2026-10-01 09:00:00"}, {"t": "2026-10-02 09:00:00"}, {"t": "2026-09-01"}]
    interface.answer = newer_than(items)
    asked = {**BY_PAGE, "since": {**NEWER, "overlap": 0}}
    assert puller.all(**asked) == [items[:2], items[2:]]
    assert "where" not in interface.asked[0].parameters
    assert puller.all(**asked) == []
    assert interface.asked[-1].parameters["where"] == "gxsj>'2026-10-02 09:00:00'"
    # What claims to come from the future would hide all that comes before it.
    items.append({"t": "2099-12-31 00:00:00"})
    assert puller.all(**asked) == [items[3:]]
    items.append({"t": "2026-10-02 09:00:01"})
    assert puller.all(**asked) == [items[3:], items[3:4]]
    assert puller.all(**asked) == []


def test_what_comes_late_is_asked_for_again(interface: Interface, puller: Puller) -> None:
    items = [{"t": "2026-10-02 09:00:00"}]
    interface.answer = newer_than(items)
    asked = {**BY_PAGE, "since": {**NEWER, "overlap": 60}}
    assert puller.all(**asked) == [items]
    assert puller.all(**asked) == []
    assert interface.asked[-1].parameters["where"] == "gxsj>'2026-10-02 08:59:00'"
    items.append({"t": "2026-10-02 08:59:01"})
    assert puller.all(**asked) == [items]
    assert puller.all(**asked) == []


def test_numbers_are_compared_as_numbers(interface: Interface, puller: Puller) -> None:
    interface.answer = numbered([{"id": 9}, {"id": 10}])
    since = {"parameter": "after", "value": "id", "first": "0"}
    puller.all(**BY_PAGE, since=since)
    assert [asked.parameters["after"] for asked in interface.asked[:1]] == ["0"]
    assert interface.asked[-1].parameters["after"] == "10"


def test_an_interface_that_knows_no_pages_is_not_asked_for_ever(
    interface: Interface, puller: Puller
) -> None:
    interface.answer = lambda asked: listed([1, 2])
    assert puller.all(**BY_PAGE) == [[1, 2]]
    assert puller.all(**BY_PAGE) == []


def test_one_answer_comes_when_it_differs(interface: Interface, puller: Puller) -> None:
    said = {"body": b"one", "etag": '"1"', "changed": "Sat, 03 Oct 2026 01:00:00 GMT"}

    def answer(asked: Asked) -> Answer:
        if asked.headers.get("If-None-Match") == said["etag"]:
            return Answer(304)
        headers = {"ETag": str(said["etag"]), "Last-Modified": str(said["changed"])}
        return Answer(200, bytes(said["body"]), headers)  # type: ignore[arg-type]

    interface.answer = answer
    assert puller.bring() == b"one"
    assert puller.bring() is None
    assert interface.asked[-1].headers["If-Modified-Since"] == said["changed"]
    said["etag"] = '"2"'
    assert puller.bring() is None
    said["body"] = b"two"
    assert puller.bring() == b"two"
    interface.answer = lambda asked: Answer(204)
    assert puller.bring() is None
    interface.answer = lambda asked: Answer(200, b"")
    assert puller.bring() is None


def test_the_token_comes_from_its_file_and_parameters_from_the_settings(
    interface: Interface, puller: Puller
) -> None:
    (puller.base / "token").write_text("t0ken\n")
    os.chmod(puller.base / "token", 0o600)
    interface.answer = lambda asked: Answer(200, b"{}")
    puller.bring(path="/api?a=1", parameters={"b": "二"}, token_file="token")
    (asked,) = interface.asked
    assert asked.parameters == {"a": "1", "b": "二"}
    assert asked.headers["Authorization"] == "Bearer t0ken"
    puller.bring(token_file="token", auth_header="X-Token", auth_scheme="", headers={"X-App": "a"})
    headers = interface.asked[-1].headers
    assert (headers["X-Token"], headers["X-App"]) == ("t0ken", "a")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "9" * 8}, 86_400.0),
        ({}, 0.0),
    ],
)
def test_whoever_asks_to_wait_is_left_alone_so_long(
    interface: Interface, puller: Puller, headers: dict[str, str], wait: float
) -> None:
    now = NOW
    interface.answer = lambda asked: Answer(429, b"", headers)
    with HttpSettings(url=interface.url).opened(puller.base, clock=lambda: now) as source:
        with pytest.raises(Away) as raised:
            source.bring("", puller.base / "raw")
        assert raised.value.wait == wait
        interface.answer = lambda asked: Answer(200, b"there")
        now = NOW + wait - 1
        if wait:
            with pytest.raises(Away):
                source.bring("", puller.base / "raw")
            assert len(interface.asked) == 1
        now = NOW + wait
        assert source.bring("", puller.base / "raw") is not None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(500), "接口暂不可用（HTTP 500）"),
        (Answer(None), "无法连接接口（RemoteProtocolError）"),
        (Answer(200, b"<html>"), "接口的答复不是 JSON"),
        (Answer(200, b"[" * 100_000), "接口的答复不是 JSON"),
        (Answer(200, b'{"data": 1}'), "没有所配置的列表"),
        (Answer(200, b"no gzip at all", {"Content-Encoding": "gzip"}), "接口的答复无法解压"),
    ],
)
def test_what_may_pass_is_away(
    interface: Interface, puller: Puller, answer: Answer, told: str
) -> None:
    interface.answer = lambda asked: answer
    with pytest.raises(Away, match=told):
        puller.bring(items="data.list")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(401), "请核对 token_file"),
        (Answer(404), "请核对 url"),
        (Answer(302, b"", {"Location": "http://127.0.0.2/"}), "转到别的地址"),
        (Answer(200, b"x" * 1_001), "超过 1,000 字节的上限"),
        (
            Answer(200, gzip.compress(b"x" * 1_001), {"Content-Encoding": "gzip"}),
            "超过 1,000 字节的上限",
        ),
    ],
)
def test_what_somebody_has_to_mend_is_told(
    interface: Interface, puller: Puller, answer: Answer, told: str
) -> None:
    interface.answer = lambda asked: answer
    with pytest.raises(CannotRun, match=told):
        puller.bring(largest=1_000)


def test_an_answer_that_drips_is_given_up(interface: Interface, puller: Puller) -> None:
    times = iter(range(0, 10_000, 100))
    interface.answer = lambda asked: Answer(200, b"x")
    settings = HttpSettings(url=interface.url, patience=50)
    with (
        settings.opened(puller.base, clock=lambda: next(times)) as source,
        pytest.raises(Away, match="过慢"),
    ):
        source.bring("", puller.base / "raw")


def test_settings_that_cannot_work_are_refused() -> None:
    for wrong in (
        {"url": "ftp://host/"},
        {"url": "https://host:port/"},
        {"url": "https://user:s3cret@host/"},
        {"url": "https://host/", "paging": {"by": "page"}},
        {"url": "https://host/", "since": {"parameter": "p", "value": "v"}},
        {"url": "https://host/", "since": {"parameter": "p", "value": "v", "template": "{x}"}},
        {"url": "https://host/", "proxy": "x"},
    ):
        with pytest.raises(ValidationError):
            HttpSettings.model_validate(wrong)


def test_a_position_of_another_kind_of_source_is_told(puller: Puller) -> None:
    puller.position = "17"
    with pytest.raises(CannotRun, match="位置"):
        puller.bring()
