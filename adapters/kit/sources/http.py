"""An agency's own HTTP interface, asked for what it has: each page of its answer one document.

Without paging the one answer is a document whenever it differs from the last. With paging, a round
goes through all pages; one that says the same as in the round before is passed over. With `since`,
a round asks only for what is newer than what was seen before.
"""

import base64
import hashlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import httpx
from pydantic import Field, field_validator, model_validator

from adapters.kit.port import Away, Brought, CannotRun, Outcome, Source
from adapters.kit.retryafter import seconds_asked
from adapters.kit.sources.files import new_file, secret, shown, suffix_of
from adapters.kit.sources.paging import ByCursor, ByLink, ByOffset, ByPage, Strict, found
from adapters.kit.sources.values import FAR_AHEAD, earlier, moment_of

_DIGEST: Final = 8
_MOST_KNOWN: Final = 3_000
_MOST_ASKED: Final = 10_000
_LONGEST: Final = 2_000
_LONGEST_WAIT: Final = 86_400.0


class Since(Strict):
    """Ask for what is newer: `value` is where an item says when it changed; the greatest seen,
    less `overlap` seconds where it is a time, stands in `template` for {}. `first`: what to ask
    for at first, if anything."""

    parameter: str
    value: str
    first: str = ""
    overlap: Annotated[int, Field(ge=0, le=604_800)] = 300
    template: Annotated[str, Field(pattern=r"^[^{}]*\{\}[^{}]*$")] = "{}"

    def asked(self, seen: str) -> str:
        """What to ask for, "" for everything."""
        value = (earlier(seen, self.overlap) or seen) if seen else self.first
        return self.template.replace("{}", value) if value else ""


class HttpSettings(Strict):
    """An interface asked by GET. `items`: where the list stands in the JSON of an answer
    ("data.list", "" for the whole), which paging and `since` look into. The token stands in a
    file of mode 0600 and is sent as `<auth_scheme> <token>` in `auth_header`. `timeout`: seconds
    for each step, `patience` for a whole answer; `largest`: bytes of one. Redirects are not
    followed, proxies of the environment not used."""

    type: Literal["http"] = "http"
    url: str
    parameters: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    token_file: Path | None = None
    auth_header: str = "Authorization"
    auth_scheme: str = "Bearer"
    ca: Path | None = None
    paging: Annotated[ByPage | ByOffset | ByCursor | ByLink, Field(discriminator="by")] | None = (
        None
    )
    items: str | None = None
    since: Since | None = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 30
    patience: Annotated[float, Field(gt=0, le=3_600)] = 300
    largest: Annotated[int, Field(ge=1, le=1 << 30)] = 64 << 20

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise ValueError("no URL") from None
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
            raise ValueError("http:// or https://, without a password")
        return url

    @model_validator(mode="after")
    def _says_where_items_are(self) -> "HttpSettings":
        looks = self.since is not None or not isinstance(self.paging, ByLink | None)
        if looks and self.items is None:
            raise ValueError("items is needed: where the list stands in an answer")
        return self

    @contextmanager
    def opened(self, base: Path, *, clock: Callable[[], float] = time.time) -> Iterator[Source]:
        """The interface; connections are made as they are needed. Raises CannotRun, OSError."""
        headers = dict(self.headers)
        if self.token_file is not None:
            token = secret(base / self.token_file)
            if not token.isascii():
                raise CannotRun(f"文件 {self.token_file} 中的口令只能是 ASCII 字符")
            headers[self.auth_header] = f"{self.auth_scheme} {token}".strip()
        verify = ssl.create_default_context(cafile=base / self.ca) if self.ca else True
        with httpx.Client(
            headers=headers, verify=verify, timeout=self.timeout, trust_env=False
        ) as client:
            yield _Interface(self, client, clock)


@dataclass(frozen=True, slots=True)
class _State:
    """Which page comes next: `at` as the paging names it, "" for the first of a new round, the
    `index`-th. `known` are the digests of the pages of the last round, `etag` and `modified` of
    the last answer without paging; `high` is the greatest value seen, `since` what this round
    asks for."""

    number: int = 0
    at: str = ""
    index: int = 0
    since: str = ""
    high: str = ""
    etag: str = ""
    modified: str = ""
    known: bytes = b""

    @classmethod
    def of(cls, position: str) -> "_State":
        """Raises CannotRun for what another kind of source wrote."""
        if not position:
            return cls()
        try:
            said = json.loads(position)
            return cls(**{**said, "known": base64.b64decode(said["known"])})
        except (ValueError, TypeError, KeyError):
            told = "所记位置不是 HTTP 接口的，请核对 adapters.toml 中的 source"
            raise CannotRun(told) from None

    def written(self) -> str:
        said = {name: getattr(self, name) for name in self.__slots__}
        said["known"] = base64.b64encode(self.known).decode()
        return json.dumps(said, ensure_ascii=False)

    def knows(self, digest: bytes, before: int = 0) -> bool:
        """Whether the page said the same in the last round, or one that stands before it now."""
        start = (self.index - before) * _DIGEST
        return start >= 0 and self.known[start : start + _DIGEST] == digest

    def behind(self, page: "_Page", following: str) -> "_State":
        """After a page that was brought."""
        known = self.known
        if self.index < _MOST_KNOWN:
            start = self.index * _DIGEST
            known = known[:start] + page.digest + known[start + _DIGEST :]
        new = replace(
            self,
            number=self.number + 1,
            high=page.high,
            etag=page.etag,
            modified=page.modified,
            known=known,
        )
        return new.at_page(following)

    def at_page(self, following: str) -> "_State":
        """At the page that follows, or at the first of a new round."""
        if following:
            return replace(self, at=following, index=self.index + 1)
        return replace(self, at="", index=0, since=self.high)


@dataclass(frozen=True, slots=True)
class _Page:
    """An answer; `said` and `items` only where somebody looks into it."""

    body: bytes
    suffix: str
    said: Any
    items: list[Any] | None
    link: str
    high: str
    etag: str
    modified: str

    @property
    def says_something(self) -> bool:
        return bool(self.body) and self.items != []

    @property
    def digest(self) -> bytes:
        """Of the items, where they are known: what stands around them may tell the time."""
        said = self.body if self.items is None else json.dumps(self.items).encode()
        return hashlib.sha256(said).digest()[:_DIGEST]


class _Interface:
    """The source."""

    def __init__(
        self, settings: HttpSettings, client: httpx.Client, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._not_before = 0.0
        self._url = httpx.URL(settings.url)

    def bring(self, position: str, into: Path) -> Brought | None:
        state = _State.of(position)
        # A round that ended with nothing new is followed by one more, and that by none.
        last_round = not state.at
        for _ in range(_MOST_ASKED):
            page = self._ask(state)
            following = self._following(state, page)
            if page is not None and page.says_something and not self._is_known(state, page):
                with new_file(into) as document:
                    document.write(page.body)
                after = state.behind(page, following)
                return Brought(self._name(after.number, page), after.written())
            if following and following == state.at:
                return None
            if not following and last_round:
                return None
            last_round = last_round or not following
            state = state.at_page(following)
        return None

    def finished(self, name: str, outcome: Outcome) -> None:
        """The interface is not told."""

    def _is_known(self, state: _State, page: _Page) -> bool:
        return state.knows(page.digest) or state.knows(page.digest, before=1)

    def _name(self, number: int, page: _Page) -> str:
        called = self._url.path.rstrip("/").rpartition("/")[2] or self._url.host
        return f"{shown(called)}-{number}{page.suffix}"

    def _following(self, state: _State, page: _Page | None) -> str:
        # An interface that does not know the parameter gives the first page for ever.
        if page is None or self._settings.paging is None or state.knows(page.digest, before=1):
            return ""
        following = self._settings.paging.following(state.at, page)
        if len(following) > _LONGEST:
            raise Away("接口给出的下一页标记过长")
        return following

    def _ask(self, state: _State) -> _Page | None:
        """The page, None where there is none or it has not changed. Raises Away, CannotRun."""
        if (left := self._not_before - self._clock()) > 0:
            raise Away("接口要求稍后再取", left)
        url, parameters, headers = self._request(state)
        try:
            with self._client.stream("GET", url, params=parameters, headers=headers) as answer:
                if answer.status_code in (204, 304) or (answer.status_code == 404 and state.at):
                    return None
                if answer.status_code != 200:
                    raise self._refused(answer)
                body = self._body(answer)
        except httpx.TransportError as error:
            raise Away(f"无法连接接口（{type(error).__name__}）") from None
        except httpx.DecodingError:
            raise Away("接口的答复无法解压") from None
        return self._page(state, answer, body)

    def _request(self, state: _State) -> tuple[httpx.URL, httpx.QueryParams, dict[str, str]]:
        paging, since = self._settings.paging, self._settings.since
        headers: dict[str, str] = {}
        if paging is None:
            if state.etag:
                headers["If-None-Match"] = state.etag
            if state.modified:
                headers["If-Modified-Since"] = state.modified
        if isinstance(paging, ByLink) and state.at:
            try:
                url = self._url.join(state.at)
            except httpx.InvalidURL:
                raise Away("接口给出的下一页地址无效") from None
            if _server(url) != _server(self._url):
                raise CannotRun("接口的下一页指向别的服务器，口令不会发往该处，请联系接口方")
            return url, url.params, headers
        asked = self._settings.parameters | (paging.asked(state.at) if paging else {})
        if since is not None and (value := since.asked(state.since)):
            asked[since.parameter] = value
        return self._url, self._url.params.merge(asked), headers

    def _body(self, answer: httpx.Response) -> bytes:
        parts, size, began = [], 0, self._clock()
        for part in answer.iter_bytes(1 << 16):
            size += len(part)
            if size > self._settings.largest:
                told = f"接口的答复超过 {self._settings.largest:,} 字节的上限，请减小每页条数"
                raise CannotRun(told)
            if self._clock() - began > self._settings.patience:
                raise Away("接口答复过慢")
            parts.append(part)
        return b"".join(parts)

    def _page(self, state: _State, answer: httpx.Response, body: bytes) -> _Page:
        said, items = None, None
        if self._settings.items is not None:
            said = _parsed(body)
            items = found(said, self._settings.items)
            if not isinstance(items, list):
                raise Away("接口的答复中没有所配置的列表（items）")
        high = state.high
        if self._settings.since is not None:
            high = self._greatest(high, items or [], self._settings.since.value)
        return _Page(
            body=body,
            suffix=suffix_of(answer.headers.get("Content-Type", "")),
            said=said,
            items=items,
            link=str(answer.links.get("next", {}).get("url", "")),
            high=high,
            etag=_header(answer, "ETag"),
            modified=_header(answer, "Last-Modified"),
        )

    def _greatest(self, before: str, items: list[Any], where: str) -> str:
        """Behind a time in the future nothing would come, so that none counts."""
        latest = self._clock() + FAR_AHEAD
        seen = (found(item, where) for item in items)
        values = [str(v) for v in seen if isinstance(v, str | int)] + [before]
        return max(
            (v for v in values if len(v) <= _LONGEST and (moment_of(v) or 0) <= latest),
            key=lambda v: (len(v), v) if v.isdigit() else (0, v),
        )

    def _refused(self, answer: httpx.Response) -> Away | CannotRun:
        status = answer.status_code
        if status in (429, 503):
            asked = seconds_asked(answer.headers.get("Retry-After", ""), self._clock())
            wait = min(asked or 0.0, _LONGEST_WAIT)
            self._not_before = self._clock() + wait
            return Away(f"接口要求稍后再取（HTTP {status}）", wait)
        if status >= 500 or status in (408, 425):
            return Away(f"接口暂不可用（HTTP {status}）")
        if status in (401, 403):
            return CannotRun(f"接口拒绝了口令（HTTP {status}），请核对 token_file")
        if 300 <= status < 400:
            return CannotRun(f"接口转到别的地址（HTTP {status}），请在 url 中写明")
        return CannotRun(f"接口拒绝了请求（HTTP {status}），请核对 url 和各项参数")


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _header(answer: httpx.Response, name: str) -> str:
    """A header to be sent back, as long as it is short."""
    value: str = answer.headers.get(name, "")
    return value if len(value) <= _LONGEST else ""


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Away("接口的答复不是 JSON") from None
