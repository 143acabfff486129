"""The policy document: read and changed as a whole."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Raw
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from contracts.faults import Fault
from contracts.members import refuse_duplicates
from contracts.region import Regions
from hub.database.order import ACCESS
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.delivery.arrivals import Arrivals
from hub.errors import Invalid, PolicyChanged, PreconditionRequired
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
from hub.web.operation import Answer, Described, Header, Operation, Parameter, in_json
from hub.web.problems import answer
from hub.web.rehearsal import Rehearsed, asked_by, differences, shown

MOST_POLICY = 32 * 1024 * 1024


class PolicyAsked(PolicyDocument):
    """The policy as it is to stand, and why."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class PolicyShown(PolicyDocument):
    """The policy in force."""

    version: int


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
) -> list[Described]:
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
                policy = await writer.submit(work, locks=(ACCESS,))
        if asked is not None:
            return await rehearse(change, caller, replayed=asked.replayed)
        current.renew(policy)
        arrivals.wake_all()
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
        Described("/v1/policy", show, _SHOW),
        Described("/v1/policy", apply, _APPLY, method="PUT"),
    ]


_IN_FORCE: Final = {
    200: Answer(
        "现行策略 / the policy in force",
        in_json(PolicyShown),
        (Header("ETag", "这一版本 / names this version"),),
    )
}
_SHOW: Final = Operation(
    "现行策略 / the policy in force",
    callers=("system", "security", "auditor"),
    answers=_IN_FORCE,
)
_APPLY: Final = Operation(
    "整体替换策略（机构须 system，授权与回避须 security），或先行推演"
    " / replace the policy (agencies take the role system, the rest security), or a dry run",
    callers=("system", "security"),
    parameters=(
        Parameter(
            "If-Match",
            "所读版本的 ETag / of the version read",
            {"type": "string"},
            place="header",
            required=True,
        ),
        Parameter("dry_run", "只答复差异 / answer the difference alone", {"enum": ["true"]}),
        Parameter(
            "replay",
            "与 dry_run 同用：对近来事件的影响，如 30d、12h / with dry_run: on events of so long",
            {"type": "string", "pattern": "^[1-9][0-9]{0,3}[dh]$"},
        ),
    ),
    body=in_json(PolicyAsked),
    answers={
        200: Answer(
            "现行策略，或推演所得 / the policy in force, or what the dry run found",
            in_json(PolicyShown, Rehearsed),
            (Header("ETag", "这一版本 / names this version", always=False),),
        )
    },
    errors=(PolicyChanged, PreconditionRequired, Invalid),
)


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
