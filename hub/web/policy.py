"""The policy document: read and changed as a whole."""

import asyncio
import re
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from contracts.faults import Fault
from contracts.members import refuse_duplicates
from contracts.region import Regions
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.delivery.arrivals import Arrivals
from hub.errors import Invalid, PreconditionRequired
from hub.journal.rehearsal import Replays
from hub.policy import changes
from hub.policy.aside import aside
from hub.policy.changes import PolicyChange
from hub.policy.current import CurrentPolicy
from hub.policy.document import PolicyDocument, parse
from hub.policy.policy import Policies, Policy, etag
from hub.policy.tokens import Caller
from hub.web.body import read_body
from hub.web.callers import Callers
from hub.web.problems import answer
from hub.web.rehearsal import asked_by, differences, shown

MOST_POLICY = 32 * 1024 * 1024


def routes(
    *,
    policies: Policies,
    current: CurrentPolicy,
    writer: Writer,
    readers: Readers,
    replays: Replays,
    arrivals: Arrivals,
    catalogue: Catalogue,
    regions: Regions,
    callers: Callers,
    log: FilteringBoundLogger,
    clock: Callable[[], int],
) -> list[Route]:
    """Reading and changing the policy, for the roles system, security and (reading) auditor."""

    # One at a time: preparing a large policy takes a processor for a second.
    preparing = asyncio.Lock()

    async def show(request: Request) -> Response:
        await callers.with_role(request, "system", "security", "auditor")
        policy = await readers.run(policies.seen_by)
        return _answer(policy)

    async def apply(request: Request) -> Response:
        caller = await callers.with_role(request, "system", "security")
        asked = asked_by(request)
        if_match = request.headers.get("if-match")
        if if_match is None:
            raise PreconditionRequired
        raw = await read_body(request, most=MOST_POLICY)
        async with preparing:
            ready, reason = await aside(partial(prepare, raw))
            change = PolicyChange(ready=ready, if_match=if_match, reason=reason)
            if asked is None:
                work = partial(
                    changes.apply, change=change, policies=policies, caller=caller, now=clock()
                )
                policy = await writer.submit(work)
        if asked is not None:
            return await rehearse(change, caller, replayed=asked.replayed)
        current.renew(policy)
        arrivals.announce_all()
        log.info("policy.applied", caller=caller.name, version=policy.version)
        return _answer(policy)

    def prepare(raw: bytes) -> tuple[Policy, str]:
        document, reason = _read(raw)
        ready = changes.prepare(document, policies=policies, catalogue=catalogue, regions=regions)
        return ready, reason

    async def rehearse(change: PolicyChange, caller: Caller, *, replayed: int | None) -> Response:
        """What the change would do; nothing of it touches the writer."""
        now = clock()
        permitted = partial(changes.permit, change=change, policies=policies, caller=caller)
        standing = await readers.run(permitted)
        compared = partial(
            differences,
            standing,
            change.document,
            catalogue=catalogue,
            regions=regions,
            now=now,
        )
        told = await asyncio.to_thread(compared)
        if replayed is not None:
            replay = await replays.run(standing, change.ready, since=now - replayed, now=now)
            told["replay"] = shown(replay)
        log.info(
            "policy.rehearsed",
            caller=caller.name,
            version=standing.version,
            changed=told["changed"],
            replayed=replayed is not None,
        )
        return answer(told)

    return [
        Route("/v1/policy", show, methods=["GET"]),
        Route("/v1/policy", apply, methods=["PUT"]),
    ]


def _read(raw: bytes) -> tuple[PolicyDocument, str]:
    """The document and the reason of a change. Raises Invalid."""
    try:
        raw.decode()
        members = _split(raw)
        refuse_duplicates(raw)
        reason = msgspec.json.decode(members.pop("reason", b"null"))
    except (ValueError, RecursionError) as malformed:
        raise Invalid(faults=(_NOT_A_POLICY,)) from malformed
    document = parse(msgspec.json.encode(members))
    faults = () if isinstance(document, PolicyDocument) else document
    if not isinstance(reason, str) or not _REASON.fullmatch(reason):
        faults = (*faults, _REASON_MISSING)
    if faults or not isinstance(document, PolicyDocument):
        raise Invalid(faults=faults)
    return document, reason


_split = msgspec.json.Decoder(dict[str, Raw]).decode
_REASON = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]{1,500}")
_NOT_A_POLICY = Fault("json_invalid", "", "不是合法的 JSON 对象", "not a JSON object in UTF-8")
_REASON_MISSING = Fault(
    "reason", "/reason", "须写明变更事由（1 至 500 字）", "say why, in 1 to 500 characters"
)


def _answer(policy: Policy) -> Response:
    body = f'{{"version":{policy.version},{policy.written.text[1:]}'
    headers = {"Cache-Control": "no-store", "ETag": etag(policy)}
    return Response(body, 200, headers, "application/json")
