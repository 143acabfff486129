"""A row of the report sheet, with what became of each item → one report of rectification."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    documents,
    effect,
    letter,
    misaddressed,
    org,
    repeated,
)
from adapters.kit.convert import Wrong
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_NOT_COMPLETED: Final = "0"
_SCOPES: Final = {
    "party": ("party_on", "party_channel"),
    "society": ("society_on", "society_channel"),
}
_NO_LIST: Final = Wrong(
    FaultKind.MISSING,
    "在工作表“事项完成情况”中没有内容",
    "请在“事项完成情况”中按同一党组织编号逐项填写",
)
_STRANGER: Final = Wrong(
    FaultKind.MISMATCH, "在“事项完成情况”中没有", "拟不公开的事项须是本报告中的事项"
)
_NOT_PUBLISHED: Final = Wrong(
    FaultKind.MISMATCH, "在主表中没有公开日期", "请在主表填写这一范围的拟公开日期，或改公开范围"
)
_WHAT_NEXT: Final = Wrong(
    FaultKind.MISSING, "没有填写，而事项未完成", "未完成的事项请填后续措施和完成期限"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The report of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_SUBMITTED],
        contracts,
        case=f"{row.values['roundid']}/{row.values['targetid']}/{row.values['stage']}",
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    if not row.groups["items"]:
        yield row.wrong("targetid", _NO_LIST)
    yield from repeated(row.groups["items"], "itemid")
    known = {part.values["itemid"] for part in row.groups["items"]}
    for part in row.groups["items"]:
        if _code(part, "completion") == _NOT_COMPLETED:
            for field in ("next_steps", "due"):
                if field not in part.values:
                    yield part.wrong(field, _WHAT_NEXT)
    for part in row.groups["withheld"]:
        if part.values["itemid"] not in known:
            yield part.wrong("itemid", _STRANGER)
        if _SCOPES[_code(part, "scope")][0] not in row.values:
            yield part.wrong("scope", _NOT_PUBLISHED)
    yield from out_of_order(row, (("period_from", "period_to"), ("period_from", "at")))


def _submitted(row: Row) -> Mapping[str, Any]:
    return {
        "letter": letter(row),
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": org(row, "target", "target_uscc"),
        "stage": row.text("stage"),
        "period": {"from": row.text("period_from"), "to": row.text("period_to")},
        "submitted_on": row.text("at"),
        "led_by": {
            "name": row.text("led_by"),
            "post": row.text("led_by_post"),
            "kind": {"code": "head"},
        },
        "items": [
            {
                "itemid": part.text("itemid"),
                "completion": part.values["completion"],
                "long_term": part.values.get("long_term"),
                "outcome": part.text("outcome"),
                "next_steps": part.text("next_steps"),
                "due": part.text("due"),
            }
            for part in row.groups["items"]
        ],
        "effect": effect(row),
        "publications": [_publication(row, scope) for scope in _planned(row)],
        "documents": documents(row, "documents"),
    }


def _planned(row: Row) -> Iterator[str]:
    return (scope for scope, (on, _) in _SCOPES.items() if on in row.values)


def _publication(row: Row, scope: str) -> Mapping[str, Any]:
    on, channel = _SCOPES[scope]
    withheld = [
        {
            "itemid": part.text("itemid"),
            "reason": part.values["reason"],
            "text": part.text("text"),
        }
        for part in row.groups["withheld"]
        if _code(part, "scope") == scope
    ]
    return {
        "scope": {"code": scope},
        "planned_on": row.text(on),
        "channel": row.values.get(channel),
        "withheld": withheld or None,
    }


def _code(part: Row, field: str) -> str:
    value = part.values[field]
    return str(value["code"]) if isinstance(value, dict) else ""


_SUBMITTED: Final = Step(
    type="rectification.report_submitted",
    begun=("targetid",),
    needed=(),
    at="at",
    payload=_submitted,
    places=lambda row: places_of(row.groups["items"], "/items"),
)
