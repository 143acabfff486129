"""A row of the plan sheet, with the three lists of its items → one plan of rectification.

The lists meet by the item's number: what is wrong (问题), what is done about it by when (任务), and
who answers for it (责任).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    documents,
    letter,
    misaddressed,
    org,
    problem,
    repeated,
)
from adapters.kit.convert import Value, Wrong
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, Place, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_HEAD: Final = {"code": "head"}
_OTHER: Final = {"code": "other"}
_MEETINGS: Final = {
    "rectification_meeting": "rectification",
    "democratic_life": "democratic_life",
}
_NO_LIST: Final = Wrong(
    FaultKind.MISSING,
    "在工作表“问题清单”中没有内容",
    "请在三张清单中按同一党组织编号填写",
)
_HALF_A_PERIOD: Final = Wrong(
    FaultKind.MISMATCH, "只填了起始或截止日期", "集中整改的起止日期要么都填，要么都不填"
)
_NOT_A_PROBLEM: Final = Wrong(
    FaultKind.MISMATCH, "在“问题清单”中没有", "三张清单的整改事项编号须一致"
)
_NO_TASK: Final = Wrong(
    FaultKind.MISSING, "在“任务清单”中没有措施", "请在“任务清单”中填写这一事项的措施"
)
_NO_OWNER: Final = Wrong(
    FaultKind.MISSING, "在“责任清单”中没有责任领导", "请在“责任清单”中填写这一事项的责任领导"
)
_LATE: Final = Wrong(FaultKind.STEP, "晚于整改事项的完成期限", "请核对措施和事项的期限")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The plan of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_SUBMITTED],
        contracts,
        case=f"{row.values['roundid']}/{row.values['targetid']}",
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    if not row.groups["problems"]:
        yield row.wrong("targetid", _NO_LIST)
    if ("from" in row.values) != ("until" in row.values):
        yield row.wrong("from", _HALF_A_PERIOD)
    yield from out_of_order(
        row, (("feedback_on", "at"), ("feedback_on", "from"), ("from", "until"))
    )
    yield from _unlisted(row)
    yield from _late(row)


def _unlisted(row: Row) -> Iterator[RowFault]:
    """Rows of the lists that do not meet: each is told where it stands."""
    problems, owners = row.groups["problems"], row.groups["owners"]
    items = {part.values["itemid"] for part in problems}
    tasks = {part.values["itemid"] for part in row.groups["tasks"]}
    answered = {part.values["itemid"] for part in owners}
    for part in (*row.groups["tasks"], *owners):
        if part.values["itemid"] not in items:
            yield part.wrong("itemid", _NOT_A_PROBLEM)
    yield from repeated(problems, "itemid")
    yield from repeated(owners, "itemid")
    yield from repeated(row.groups["tasks"], "measureid")
    for part in problems:
        if part.values["itemid"] not in tasks:
            yield part.wrong("itemid", _NO_TASK)
        if part.values["itemid"] not in answered:
            yield part.wrong("itemid", _NO_OWNER)


def _late(row: Row) -> Iterator[RowFault]:
    due = {part.values["itemid"]: str(part.values["due"]) for part in row.groups["problems"]}
    for part in row.groups["tasks"]:
        if str(part.values["due"]) > due.get(part.values["itemid"], "9999"):
            yield part.wrong("due", _LATE)


def _submitted(row: Row) -> Mapping[str, Any]:
    owners = _owners(row)
    items = [_item(row, part, owners[part.values["itemid"]]) for part in row.groups["problems"]]
    return {
        "letter": letter(row),
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": org(row, "target", "target_uscc"),
        "feedback_on": row.text("feedback_on"),
        "submitted_on": row.text("at"),
        "concentrated": _period(row),
        "led_by": {
            "name": row.text("led_by"),
            "post": row.text("led_by_post"),
            "kind": _HEAD,
        },
        "items": items,
        "three_lists": [
            {"kind": {"code": "issue"}, "entries": len(items)},
            {"kind": {"code": "task"}, "entries": len(row.groups["tasks"])},
            {"kind": {"code": "responsibility"}, "entries": len(owners)},
        ],
        "meetings": [
            {
                "kind": {"code": kind},
                "held_on": row.text(field),
                "presided_by": row.text("presided_by"),
            }
            for field, kind in _MEETINGS.items()
            if field in row.values
        ],
        "documents": documents(row, "documents"),
    }


def _owners(row: Row) -> dict[Value, Row]:
    """Who answers for what, by the item's number."""
    return {part.values["itemid"]: part for part in row.groups["owners"]}


def _tasks(row: Row, problem: Row) -> list[Row]:
    """What is done about one item."""
    return [t for t in row.groups["tasks"] if t.values["itemid"] == problem.values["itemid"]]


def _places(row: Row) -> dict[str, Place]:
    """Of an item what is wrong, what is done and who answers stand on three sheets."""
    problems, owners = row.groups["problems"], _owners(row)
    places = places_of(problems, "/items")
    for number, part in enumerate(problems):
        owner = owners[part.values["itemid"]].place
        places |= {f"/items/{number}/owner": owner, f"/items/{number}/unit": owner}
        places |= places_of(_tasks(row, part), f"/items/{number}/measures")
    return places


def _period(row: Row) -> Mapping[str, Any] | None:
    return {"from": row.text("from"), "to": row.text("until")} if "from" in row.values else None


def _item(row: Row, part: Row, owner: Row) -> Mapping[str, Any]:
    leader = {
        "name": owner.text("owner"),
        "post": owner.text("post"),
        "kind": owner.values["kind"],
    }
    return {
        **problem(part),
        "itemid": part.text("itemid"),
        "owner": leader,
        "unit": {"name": owner.text("unit")},
        "measures": [_measure(task, leader) for task in _tasks(row, part)],
        "due": part.text("due"),
        "long_term": part.values.get("long_term"),
        "target_state": part.text("target_state"),
    }


def _measure(task: Row, leader: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of those who carry a measure out, the item's leader keeps post and kind."""
    return {
        "measureid": task.text("measureid"),
        "text": task.text("text"),
        "kinds": task.values["kinds"],
        "responsible": [
            leader if name == leader["name"] else {"name": name, "kind": _OTHER}
            for name in task.texts("responsible")
        ],
        "unit": {"name": task.text("unit")} if "unit" in task.values else None,
        "due": task.text("due"),
    }


_SUBMITTED: Final = Step(
    type="rectification.plan_submitted",
    begun=("targetid",),
    needed=(),
    at="at",
    payload=_submitted,
    places=_places,
)
