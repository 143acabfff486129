"""The hub's HTTP interface as Python calls; `hub/cli` and the adapters are its users."""

import random
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Self
from urllib.parse import quote

import httpx
from msgspec import DecodeError, json

from adapters.kit.batches import MOST_EVENTS, batches
from adapters.kit.results import HubAway, HubProblem, Page, Policy, Result
from adapters.kit.retryafter import seconds_asked

Mode = Literal["each", "all"]
_BATCH: Final = {"Content-Type": "application/cloudevents-batch+json"}
_LARGEST_PAGE: Final = 1000
_WAIT: Final = frozenset({429, 503})
_GATEWAY: Final = frozenset({502, 504})
_REPLAY_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long to wait: seconds, doubling, never above `longest`."""

    times: int = 6
    first: float = 0.5
    longest: float = 60.0

    def pause(self, attempt: int, chance: float, asked: float | None = None) -> float:
        """After attempt `attempt`; `chance` in [0, 1) spreads callers, `asked` is the hub's."""
        pause = self.first * 2.0**attempt * (0.5 + chance / 2)
        return min(self.longest, max(pause, asked or 0.0))


@cache
def _trusted() -> ssl.SSLContext:
    """What certificates are judged by; to read the authorities anew for every caller takes long."""
    return httpx.create_ssl_context(trust_env=False)


class HubClient:
    """A caller of one hub, under one token.

    Requests are tried again when the hub says that only waiting helps, and when it cannot be
    reached; a request whose repetition would do something twice only if it was never sent. After
    the last attempt they raise HubAway, or HubProblem for what the hub refused. Redirects are not
    followed and proxies of the environment not used, so that the token goes to the hub only.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        verify: ssl.SSLContext | bool = True,
        timeout: float = 30.0,
        retry: Retry = Retry(),
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        now: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=_trusted() if verify is True else verify,
            timeout=timeout,
            transport=transport,
            trust_env=False,
        )
        self._timeout = timeout
        self._retry = retry
        self._sleep = sleep
        self._chance = chance
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def publish(
        self, events: Iterable[bytes], mode: Mode = "each", *, batch: int = 100
    ) -> list[Result]:
        """Publish events, each a CloudEvents JSON object; one result each, in the order given.

        `each` sends batches as they fill and repeats those events that were rejected for now.
        `all` sends one request and raises ValueError for more events than one batch takes.
        """
        if mode == "all":
            return self._publish_all(list(events))
        results: list[Result] = []
        for part in batches(events, most=min(batch, MOST_EVENTS)):
            results.extend(self._publish_each(part))
        return results

    def subscribe(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a subscription; the same id and body again is the same subscription."""
        return self._object("POST", "/v1/subscriptions", again="id" in body, json=body)

    def subscriptions(self) -> Iterator[Mapping[str, Any]]:
        return self._items("/v1/subscriptions")

    def delete_subscription(self, subscription: str) -> None:
        self._ask("DELETE", f"/v1/subscriptions/{_segment(subscription)}")

    def pull(
        self, subscription: str, *, limit: int = 100, wait: float = 20, cursor: str | None = None
    ) -> Page:
        """The next events, waiting up to `wait` seconds for one; nothing is committed by it."""
        asked: dict[str, Any] = {"limit": limit, "wait": f"{wait:g}"}
        answer = self._ask(
            "GET",
            f"/v1/subscriptions/{_segment(subscription)}/events",
            params=asked | ({"cursor": cursor} if cursor else {}),
            timeout=self._timeout + wait,
        )
        return Page(
            events=tuple(_json(answer)),
            cursor=_header(answer, "Guantong-Cursor"),
            expired=_count(answer, "Guantong-Expired"),
            parked=_count(answer, "Guantong-Parked"),
        )

    def commit(self, subscription: str, cursor: str) -> None:
        """The events up to the cursor are dealt with."""
        path = f"/v1/subscriptions/{_segment(subscription)}/cursor"
        self._ask("POST", path, json={"cursor": cursor})

    def replay(self, subscription: str, since: str) -> None:
        """Go back: read again from an RFC 3339 time (the hub's)."""
        path = f"/v1/subscriptions/{_segment(subscription)}/cursor"
        self._ask("POST", path, json={"since": since})

    def dead_letters(self, subscription: str) -> Iterator[Mapping[str, Any]]:
        """What had no form in the version that the subscription had pinned, and waits."""
        return self._items(f"/v1/subscriptions/{_segment(subscription)}/dead-letters")

    def redrive(self, subscription: str, n: int) -> tuple[Mapping[str, Any], ...]:
        """The event of a dead letter, in the version pinned now; asked again, it comes again."""
        path = f"/v1/subscriptions/{_segment(subscription)}/dead-letters/{n}/redrive"
        return tuple(_json(self._ask("POST", path)))

    def contracts(self) -> Iterator[Mapping[str, Any]]:
        return self._items("/v1/contracts")

    def contract(self, type_: str, version: str | None = None) -> Mapping[str, Any]:
        """A type's metadata; with a version, that version's JSON Schema."""
        below = f"/{_segment(version)}" if version else ""
        return self._object("GET", f"/v1/contracts/{_segment(type_)}{below}")

    def receipt(self, receipt: str) -> Mapping[str, Any]:
        """An event's state, and the proof of it."""
        return self._object("GET", f"/v1/receipts/{_segment(receipt)}")

    def explain(self, source: str, event: str, agency: str | None = None) -> Mapping[str, Any]:
        """Why an agency did, or did not, get an event."""
        asked = {"source": source, "id": event} | ({"agency": agency} if agency else {})
        return self._object("GET", "/v1/explain", params=asked)

    def reads(self, asked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Who has seen an event (`source`, `id`) or a `case`, or what an `agency` has seen."""
        return self._items("/v1/reads", asked)

    def strangers(self) -> Iterator[Mapping[str, Any]]:
        """Events that name parties whom no registered agency is."""
        return self._items("/v1/strangers")

    def impact(self, type_: str, version: str, *, days: int, replay: int) -> Mapping[str, Any]:
        """Whom a contract version touches, and how the newest events fare under it."""
        return self._object(
            "GET",
            f"/v1/contracts/{type_}/{version}/impact",
            again=True,
            params={"days": days, "replay": replay},
            timeout=_REPLAY_SECONDS,
        )

    def get_policy(self) -> Policy:
        answer = self._ask("GET", "/v1/policy")
        return Policy(document=_document(answer), etag=_header(answer, "ETag"))

    def put_policy(
        self,
        document: Mapping[str, Any],
        etag: str,
        dry_run: bool = False,
        replay: str | None = None,
    ) -> Mapping[str, Any]:
        """Replace the policy that `etag` names; a dry run answers the difference and keeps it.

        `replay`: compare on what has come in that time too, such as `30d`; implies a dry run.
        """
        dry_run = dry_run or replay is not None
        return self._object(
            "PUT",
            "/v1/policy",
            again=dry_run,
            json=document,
            headers={"If-Match": etag},
            params={"dry_run": "true"} | ({"replay": replay} if replay else {}) if dry_run else {},
            timeout=self._timeout if replay is None else _REPLAY_SECONDS,
        )

    def agencies(self) -> Iterator[Mapping[str, Any]]:
        return self._items("/v1/agencies")

    def issue_token(
        self, agency: str, options: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """A new token of an agency, shown this once; `options` is the request's body."""
        path = f"/v1/agencies/{_segment(agency)}/tokens"
        return self._object("POST", path, again=False, json=dict(options or {}))

    def revoke_token(self, agency: str, number: str | int) -> None:
        self._ask("DELETE", f"/v1/agencies/{_segment(agency)}/tokens/{_segment(str(number))}")

    def tokens(self, agency: str | None = None) -> Iterator[Mapping[str, Any]]:
        """The tokens that the caller's role has charge of; of one agency if one is named."""
        return self._items("/v1/tokens", {"agency": agency} if agency else {})

    def issue_role_token(
        self, role: str, options: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """A new token of a role, shown this once; `options` are further members of the request."""
        asked = {"role": role, **(options or {})}
        return self._object("POST", "/v1/tokens", again=False, json=asked)

    def end_token(self, number: int) -> None:
        """Revoke a token by its number, whoever's it is."""
        self._ask("DELETE", f"/v1/tokens/{number}")

    def acts(self, asked: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Administrative acts, oldest first; of a `subject`, an `act`, `since` (RFC 3339)."""
        return self._items("/v1/acts", asked)

    def feeds(self) -> Iterator[Mapping[str, Any]]:
        """The subscriptions by Kafka, and their topics."""
        return self._items("/v1/feeds")

    def purges(self) -> Iterator[Mapping[str, Any]]:
        """What was purged, oldest first."""
        return self._items("/v1/purges")

    def status(self) -> Mapping[str, Any]:
        """The state of the hub with all its agencies; needs the role operator."""
        told = self._object("GET", "/v1/status", params={"limit": _LARGEST_PAGE})
        items, after = list(told["items"]), told["next"]
        while after is not None:
            asked = {"limit": _LARGEST_PAGE, "after": after}
            page = self._object("GET", "/v1/status", params=asked)
            items.extend(page["items"])
            after = page["next"]
        return {**told, "items": items, "next": None}

    def doctor(self, *, full: bool = False) -> Mapping[str, Any]:
        """What the hub finds wrong with itself; a full examination takes up to an hour."""
        asked = {"full": "true"} if full else {}
        patience = 3600 if full else self._timeout
        return self._object("GET", "/v1/doctor", params=asked, timeout=patience)

    def health(self) -> bool:
        """Whether the hub is ready; asked once. Raises HubAway when it cannot be reached."""
        try:
            return self._http.get("/health/ready").is_success
        except httpx.TransportError as error:
            raise HubAway(_reason(error)) from error

    def _publish_each(self, batch: list[bytes]) -> list[Result]:
        results = self._send(batch, "each")
        for attempt in range(self._retry.times):
            again = [place for place, result in enumerate(results) if result.retryable]
            if not again:
                break
            self._pause(attempt)
            for place, result in zip(
                again, self._send([batch[p] for p in again], "each"), strict=True
            ):
                results[place] = result
        return results

    def _publish_all(self, batch: list[bytes]) -> list[Result]:
        if len(list(batches(batch))) > 1:
            raise ValueError(f"one batch takes {MOST_EVENTS} events and 8 MiB")
        results = self._send(batch, "all")
        for attempt in range(self._retry.times):
            if not _only_waiting_helps(results):
                break
            self._pause(attempt)
            results = self._send(batch, "all")
        return results

    def _send(self, batch: list[bytes], mode: Mode) -> list[Result]:
        body = b"[" + b",".join(batch) + b"]"
        answer = self._ask(
            "POST", "/v1/events", params={"mode": mode}, content=body, headers=_BATCH, also=(422,)
        )
        document = _document(answer)
        if answer.status_code == 422 and "results" not in document:
            raise HubProblem(document, status=422)
        results = [Result.of(each) for each in document.get("results", ())]
        if len(results) != len(batch):
            raise _unintelligible(answer)
        return results

    def _items(
        self, path: str, asked: Mapping[str, str] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        after: dict[str, Any] = {}
        while True:
            page = self._object("GET", path, params={**(asked or {}), **after})
            yield from page["items"]
            if page.get("next") is None:
                return
            after = {"after": page["next"]}

    def _object(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        return _document(self._ask(method, path, **request))

    def _ask(
        self,
        method: str,
        path: str,
        *,
        again: bool = True,
        also: tuple[int, ...] = (),
        **request: Any,
    ) -> httpx.Response:
        """The answer to a request, tried as often as is safe. Raises HubAway, HubProblem."""
        for attempt in range(self._retry.times + 1):
            asked: float | None = None
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                failure: HubAway | HubProblem = HubAway(_reason(error))
                if not again and not isinstance(error, httpx.ConnectError):
                    raise failure from error
            else:
                if answer.is_success or answer.status_code in also:
                    return answer
                failure, asked = _failure(answer), self._asked(answer)
                if isinstance(failure, HubProblem) and not failure.retryable:
                    raise failure
            if attempt < self._retry.times:
                self._pause(attempt, asked)
        raise failure

    def _pause(self, attempt: int, asked: float | None = None) -> None:
        self._sleep(self._retry.pause(attempt, self._chance(), asked))

    def _asked(self, answer: httpx.Response) -> float | None:
        return seconds_asked(answer.headers.get("Retry-After", ""), self._now())


def _failure(answer: httpx.Response) -> HubAway | HubProblem:
    document = _problem(answer)
    if answer.status_code in _GATEWAY and not document:
        return HubAway(f"HTTP {answer.status_code}")
    if answer.status_code in _WAIT:
        return HubAway(str(document.get("title", f"HTTP {answer.status_code}")))
    return HubProblem(document, status=answer.status_code)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _only_waiting_helps(results: list[Result]) -> bool:
    """Of a batch refused as a whole: whether every event at fault is so only for now."""
    at_fault = [
        result
        for result in results
        if result.status == "rejected" and any(e.code != "batch_refused" for e in result.errors)
    ]
    return bool(at_fault) and all(result.retryable for result in at_fault)


def _json(answer: httpx.Response) -> Any:
    try:
        return json.decode(answer.content)
    except DecodeError:
        raise _unintelligible(answer) from None


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    document = _json(answer)
    if not isinstance(document, dict):
        raise _unintelligible(answer)
    return document


def _header(answer: httpx.Response, name: str) -> str:
    if name not in answer.headers:
        raise _unintelligible(answer)
    return str(answer.headers[name])


def _count(answer: httpx.Response, name: str) -> int:
    text = answer.headers.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _unintelligible(answer)
    return int(text)


def _unintelligible(answer: httpx.Response) -> HubProblem:
    detail = "请检查地址是否指向贯通 / does the address point to the hub?"
    document = {"code": "answer_unreadable", "title": "答复无法识别", "detail": detail}
    return HubProblem(document, status=answer.status_code)


def _reason(error: httpx.TransportError) -> str:
    return f"无法连接贯通（{type(error).__name__}）"


def _segment(text: str) -> str:
    return quote(text, safe="")
