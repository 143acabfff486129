"""Events handed to an interface of the agency's own, one HTTP request each."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import httpx
from pydantic import Field

from adapters.kit.port import Away, CannotRun, Sink
from adapters.kit.retryafter import seconds_asked
from adapters.kit.sinks.columns import Event, Strict, Types, takes
from adapters.kit.sinks.files import json_of
from adapters.kit.sinks.taken import FILE_NAME, Taken, folder_at, name_of, open_taken, receipt_of
from adapters.kit.sources.files import new_file, secret

_JSON: Final = "application/cloudevents+json; charset=utf-8"
_DUPLICATE: Final = 409
_LATER: Final = frozenset({408, 425, 429})
# What is wrong with the interface's address or the token, not with the event.
_MISTAKEN: Final = frozenset({401, 403, 404, 405, 407})
_LONGEST_WAIT: Final = 3_600.0


class CallSettings(Strict):
    """`url`: the interface. `path`: a folder for the events that it refuses (and for what was
    called). `token_file`: a bearer token, in a file of mode 0600; `ca`: an authority of one's own.
    `types`: which types of events, all unless said; `timeout` in seconds."""

    type: Literal["call"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=2_000)]
    path: Path
    token_file: Path | None = None
    ca: Path | None = None
    types: Types = ("*",)
    timeout: Annotated[float, Field(gt=0, le=300)] = 30

    @contextmanager
    def opened(self, base: Path, folder: Path) -> Iterator[Sink]:
        """Raises CannotRun for a token, authority or folder that cannot be used."""
        token = secret(base / self.token_file) if self.token_file else None
        target = folder_at(base / self.path)
        with (
            open_taken(target / FILE_NAME) as taken,
            httpx.Client(
                headers={"Authorization": f"Bearer {token}"} if token else {},
                verify=_authority(base / self.ca) if self.ca else True,
                timeout=self.timeout,
                trust_env=False,
            ) as http,
        ):
            yield CallSink(http, self.url, target, taken, self.types)


class CallSink:
    """Posts each event once, in order, under `Idempotency-Key: <receipt>`.

    Whoever is killed between the answer and its note posts the event again under the same key.
    2xx and 409 (it has the event) are done. An event that the interface refuses stands in the
    folder with the answer's status, and does not hold the others. Where only waiting helps it
    raises Away, and does not call before the time that the interface asked for.
    """

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        folder: Path,
        taken: Taken,
        types: Types = ("*",),
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._url = url
        self._folder = folder
        self._taken = taken
        self._types = types
        self._now = now
        self._not_before = 0.0

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            if takes(self._types, event) and event not in self._taken:
                self._deliver(event)
                self._taken.add(event)

    def _deliver(self, event: Event) -> None:
        if self._now() < self._not_before:
            raise Away("接口要求稍后再试，时间未到", self._not_before - self._now())
        status = self._post(event)
        if status < 300 or status == _DUPLICATE:
            return
        if status < 400 or status in _MISTAKEN:
            host = httpx.URL(self._url).host
            raise CannotRun(f"接口 {host} 答复 HTTP {status}：请检查地址和口令")
        with new_file(self._folder / f"{name_of(event)}.json") as file:
            file.write(json_of({"status": status, "event": event}))

    def _post(self, event: Event) -> int:
        """The status of the answer, whose body nobody reads. Raises Away."""
        headers = {"Content-Type": _JSON, "Idempotency-Key": receipt_of(event)}
        content = json.dumps(event, separators=(",", ":")).encode()
        try:
            with self._http.stream("POST", self._url, content=content, headers=headers) as answer:
                status = answer.status_code
                if status in _LATER or status >= 500:
                    asked = seconds_asked(answer.headers.get("Retry-After", ""), self._now())
                    wait = min(asked or 0.0, _LONGEST_WAIT)
                    self._not_before = self._now() + wait
                    raise Away(f"接口答复 HTTP {status}，稍后再试", wait)
                return status
        except httpx.TransportError as error:
            raise Away(f"无法连接接口（{type(error).__name__}）") from error


def _authority(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise CannotRun(f"{path} 不是可用的证书文件（PEM）") from error
