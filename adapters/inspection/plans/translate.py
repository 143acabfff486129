"""The rows of a plan → the plan that is submitted, and each of its rounds that is set to work.

A row is a party in a round. What is said of a round stands in one of its rows, or in several alike.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Value, Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.named import signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment
from contracts.contract import Contract

Rounds = Mapping[str, tuple[Row, ...]]

_PLAN: Final = ("kind", "title", "from", "to", "document", "submitted_on")
_ROUND: Final = ("name", "kind", "from", "to")
_ASSIGNED: Final = ("name", "kind", "focus", "assigned_on", "site_from", "site_to")
_PARTY: Final = ("targetid", "target")
# What each row says for itself; anything else is said of the round.
_OWN: Final = frozenset(
    {
        *_PARTY, "roundid", "target_uscc", "target_region", "target_kind", "groupid", "group",
        "head",
    }
)  # fmt: skip
_MISSING: Final = Wrong(FaultKind.MISSING, "没有填写", "请补填；没有这一轮的，请清空轮次各栏")
_NO_ROUND: Final = Wrong(
    FaultKind.MISSING, "没有填写，而这一行填了轮次或党组织", "请填轮次编号，或清空这一行的轮次各栏"
)
_NOT_SUBMITTED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而填报“计划报批”须有此项",
    "请补填；只部署轮次、不报批的，请清空计划各栏（计划编号除外）",
)
_NOT_ASSIGNED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而填报“轮次部署”须有此项",
    "请在该轮的一行补填；还没有部署的，请清空部署日期",
)
_CONTRADICTED: Final = Wrong(
    FaultKind.MISMATCH, "与同一轮前面的行不同", "同一轮的各行请填写一致，或只填该轮第一行"
)
_TEAM: Final = Wrong(FaultKind.MISMATCH, "与同一组前面的行不同", "同一组的各行请填写一致")
_NO_TEAM: Final = Wrong(
    FaultKind.MISSING, "没有填写，而填了组别编号、组名或组长", "请补填，或清空这一行的组别各栏"
)
_HALF_MEETING: Final = Wrong(
    FaultKind.MISSING, "没有填写，而填了审议会议或审议日期", "请补填，或清空审议各栏"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a plan's rows, but for what the kit adds; a function of these rows alone."""
    faults = tuple(_faults(row))
    if faults:
        return faults
    rounds = _rounds(row)
    plan = (_submitted(row, rounds, contracts["plan.submitted"]),) if _submits(row) else ()
    return (
        *plan,
        *(
            _assigned(row, rows, contracts["plan.round_assigned"])
            for rows in rounds.values()
            if _said(rows, "assigned_on")
        ),
    )


def _submits(row: Row) -> bool:
    return any(field in row.values for field in _PLAN)


def _rounds(row: Row) -> Rounds:
    """The rows of each round, in the order of its first."""
    found: dict[str, tuple[Row, ...]] = {}
    for part in row.groups["rounds"]:
        if roundid := part.text("roundid"):
            found[roundid] = (*found.get(roundid, ()), part)
    return found


def _said(rows: tuple[Row, ...], field: str) -> Value | None:
    """What the rows of a round say of it."""
    return next((part.values[field] for part in rows if field in part.values), None)


def _faults(row: Row) -> Iterator[RowFault]:
    if _submits(row):
        yield from (row.wrong(f, _NOT_SUBMITTED) for f in _PLAN if f not in row.values)
    for one, other in (("meeting", "meeting_on"), ("meeting_on", "meeting")):
        if one in row.values and other not in row.values:
            yield row.wrong(other, _HALF_MEETING)
    for part in row.groups["rounds"]:
        if part.values and "roundid" not in part.values:
            yield part.wrong("roundid", _NO_ROUND)
    for rows in _rounds(row).values():
        yield from _faults_of_round(rows, submitted=_submits(row))


def _faults_of_round(rows: tuple[Row, ...], *, submitted: bool) -> Iterator[RowFault]:
    for part in rows:
        yield from (part.wrong(field, _MISSING) for field in _PARTY if field not in part.values)
        for field, value in part.values.items():
            if field not in _OWN and value != _said(rows, field):
                yield part.wrong(field, _CONTRADICTED)
    needed = {field: _MISSING for field in _ROUND if submitted}
    if _said(rows, "assigned_on"):
        needed |= dict.fromkeys(_ASSIGNED, _NOT_ASSIGNED)
        yield from _faults_of_teams(rows)
    for field, wrong in needed.items():
        if _said(rows, field) is None:
            yield rows[0].wrong(field, wrong)


def _faults_of_teams(rows: tuple[Row, ...]) -> Iterator[RowFault]:
    named: dict[str, tuple[Value | None, Value | None]] = {}
    for part in rows:
        groupid, about = part.text("groupid"), (part.values.get("group"), part.values.get("head"))
        if groupid is None:
            if any(about):
                yield part.wrong("groupid", _NO_TEAM)
        elif about[0] is None:
            yield part.wrong("group", _NO_TEAM)
        elif named.setdefault(groupid, about) != about:
            yield part.wrong("group", _TEAM)


def _submitted(row: Row, rounds: Rounds, contract: Contract) -> Translated:
    said = row.values
    payload = {
        "letter": _letter(said.get("docno")),
        "handlers": signed(row, "handlers") or None,
        "planid": said["planid"],
        "kind": said["kind"],
        "title": said["title"],
        "period": {"from": said["from"], "to": said["to"]},
        "basis": [{"title": title} for title in row.texts("basis")] or None,
        "tasks": said.get("tasks"),
        "rounds": [_planned(roundid, rows) for roundid, rows in rounds.items()] or None,
        "units_in_scope": said.get("units_in_scope"),
        "deliberated": _meeting(row),
        "adjusts": said.get("adjusts"),
        "adjustment_reason": said.get("adjustment_reason"),
        "document": {"title": said["document"], "docno": said.get("docno")},
    }
    return _event(str(said["planid"]), row, str(said["submitted_on"]), contract, payload)


def _meeting(row: Row) -> dict[str, Any] | None:
    said = row.values
    if "meeting" not in said:
        return None
    return {
        "kind": said["meeting"],
        "held_on": said["meeting_on"],
        "session": said.get("session"),
    }


def _planned(roundid: str, rows: tuple[Row, ...]) -> dict[str, Any]:
    return {
        "roundid": roundid,
        "name": _said(rows, "name"),
        "kind": _said(rows, "kind"),
        "period": {"from": _said(rows, "from"), "to": _said(rows, "to")},
        "focus": _said(rows, "focus"),
        "targets": [_target(part) for part in rows],
        "teams": _said(rows, "teams"),
        "people": _said(rows, "people"),
    }


def _assigned(row: Row, rows: tuple[Row, ...], contract: Contract) -> Translated:
    document, docno = _said(rows, "document"), _said(rows, "docno")
    payload = {
        "letter": _letter(docno),
        "roundid": rows[0].values["roundid"],
        "planid": row.values["planid"],
        "taskid": _said(rows, "taskid"),
        "name": _said(rows, "name"),
        "kind": _said(rows, "kind"),
        "focus": _said(rows, "focus"),
        "period": {"from": _said(rows, "site_from"), "to": _said(rows, "site_to")},
        "mobilised_on": _said(rows, "mobilised_on"),
        "targets": [_target(part) for part in rows],
        "teams": _teams(rows) or None,
        "special_checks": _said(rows, "checks"),
        "requirements": _said(rows, "requirements"),
        "report_due": _said(rows, "report_due"),
        "embargo_until": _said(rows, "embargo_until"),
        "document": {"title": document, "docno": docno} if document else None,
    }
    when = str(_said(rows, "assigned_on"))
    return _event(str(rows[0].values["roundid"]), row, when, contract, payload)


def _target(part: Row) -> dict[str, Any]:
    said = part.values
    org = {
        "name": said["target"],
        "uscc": said.get("target_uscc"),
        "region": said.get("target_region"),
    }
    return {"targetid": said["targetid"], "org": org, "kind": said.get("target_kind")}


def _teams(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    teams: dict[str, dict[str, Any]] = {}
    for part in rows:
        if groupid := part.text("groupid"):
            head = part.text("head")
            begun: dict[str, Any] = {
                "groupid": groupid,
                "name": part.text("group"),
                "head": {"name": head, "org": {"name": part.text("group")}} if head else None,
                "targetids": [],
            }
            teams.setdefault(groupid, begun)["targetids"].append(part.values["targetid"])
    return [*teams.values()]


def _letter(docno: Value | None) -> dict[str, Any] | None:
    return {"docno": docno} if docno else None


def _event(
    native: str, row: Row, when: str, contract: Contract, payload: Mapping[str, Any]
) -> Translated:
    return Translated(
        native=native,
        attributes=contract_attributes(contract)
        | {"time": moment(when), "correlationid": f"{contract.family}:{row.values['planid']}"},
        data=payload_bytes(contract, payload),
    )
