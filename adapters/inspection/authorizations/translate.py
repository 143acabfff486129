"""A row of the rounds, with its teams and whom each inspects → the authorization of the round."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import letter, misaddressed, org, repeated
from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_NO_TEAM: Final = Wrong(
    FaultKind.MISSING, "在工作表“各组”中没有内容", "请在“各组”“巡视巡察对象”中按同一轮次编号填写"
)
_NO_SUCH_TEAM: Final = Wrong(
    FaultKind.MISMATCH, "在“各组”中没有", "请核对组别编号，或在“各组”中补一行"
)
_NO_TARGET: Final = Wrong(
    FaultKind.MISSING, "在“巡视巡察对象”中没有对象", "请在“巡视巡察对象”中填写这个组的对象"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The authorization of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_AUTHORIZED],
        contracts,
        case=str(row.values["roundid"]),
        wrong=_faults(row),
        named={"to": row.text("to")},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    teams, targets = row.groups["teams"], row.groups["targets"]
    yield from misaddressed(row)
    if not teams:
        yield row.wrong("roundid", _NO_TEAM)
    yield from repeated(teams, "groupid")
    yield from repeated(targets, "targetid")
    known = {part.values["groupid"] for part in teams}
    inspecting = {part.values["groupid"] for part in targets}
    for part in targets:
        if part.values["groupid"] not in known:
            yield part.wrong("groupid", _NO_SUCH_TEAM)
    for part in teams:
        if part.values["groupid"] not in inspecting:
            yield part.wrong("groupid", _NO_TARGET)
    yield from out_of_order(row, (("at", "from"), ("from", "until")))


def _authorized(row: Row) -> Mapping[str, Any]:
    return {
        "letter": letter(row),
        "roundid": row.text("roundid"),
        "round_name": row.text("name"),
        "authorized_by": org(row, "by"),
        "authorized_on": row.text("at"),
        "period": {"from": row.text("from"), "to": row.text("until")},
        "tasks": row.text("tasks"),
        "special_checks": row.values.get("special"),
        "teams": [_team(row, part) for part in row.groups["teams"]],
    }


def _team(row: Row, part: Row) -> Mapping[str, Any]:
    return {
        "groupid": part.text("groupid"),
        "name": part.text("name"),
        "head": {"name": part.text("head"), "post": part.text("head_post")},
        "deputies": [{"name": name} for name in part.texts("deputies")] or None,
        "members": part.values.get("members"),
        "targets": [
            {
                "targetid": target.text("targetid"),
                "target": org(target, "target", "target_uscc"),
                "kind": target.values["kind"],
            }
            for target in row.groups["targets"]
            if target.values["groupid"] == part.values["groupid"]
        ],
    }


_AUTHORIZED: Final = Step(
    type="inspection.authorized",
    begun=("roundid",),
    needed=(),
    at="at",
    payload=_authorized,
)
