"""A row of the progress sheet, with the measures of its item → how far the item has come."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    day,
    documents,
    effect,
    misaddressed,
    org,
    repeated,
)
from adapters.kit.convert import Wrong
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_COMPLETED: Final = "2"
_EXTENSION: Final = ("extend_until", "extension_reason", "extension_text")
_HALF_AN_EXTENSION: Final = Wrong(
    FaultKind.MISSING, "没有填写，而延期申请的其他栏已填", "申请延期的，请填全延期各栏"
)
_NO_DAY: Final = Wrong(FaultKind.MISSING, "没有填写，而措施已完成", "请填完成日期")
_NOT_DONE: Final = Wrong(FaultKind.MISMATCH, "已填写，而措施没有完成", "请核对“是否完成”")
_LATE: Final = Wrong(FaultKind.STEP, "晚于报告日期", "请核对完成日期和报告日期")
_OPEN: Final = Wrong(FaultKind.MISMATCH, "是“否”，而事项已完成", "事项已完成的，各项措施都须完成")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The report of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_REPORTED],
        contracts,
        case=str(row.values["itemid"]),
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    if any(field in row.values for field in _EXTENSION):
        for field in _EXTENSION:
            if field not in row.values:
                yield row.wrong(field, _HALF_AN_EXTENSION)
    yield from repeated(row.groups["measures"], "measureid")
    for part in row.groups["measures"]:
        yield from _of_measure(row, part)
    yield from out_of_order(row, (("due", "extend_until"),))


def _of_measure(row: Row, part: Row) -> Iterator[RowFault]:
    done, done_on = part.values["done"], part.text("done_on")
    if done and done_on is None:
        yield part.wrong("done_on", _NO_DAY)
    if done_on and not done:
        yield part.wrong("done_on", _NOT_DONE)
    if done_on and done_on > str(row.values["at"]):
        yield part.wrong("done_on", _LATE)
    if not done and _code(row.values["completion"]) == _COMPLETED:
        yield part.wrong("done", _OPEN)


def _reported(row: Row) -> Mapping[str, Any]:
    return {
        "itemid": row.text("itemid"),
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "unit": org(row, "unit", "unit_uscc"),
        "reported_on": row.text("at"),
        "stage": row.values.get("stage"),
        "completion": row.values["completion"],
        "long_term": row.values.get("long_term"),
        "measures": [
            {
                "measureid": part.text("measureid"),
                "done": part.values["done"],
                "done_on": part.text("done_on"),
                "text": part.text("text"),
                "evidence": documents(part, "evidence") or None,
            }
            for part in row.groups["measures"]
        ],
        "effect": effect(row),
        "obstacle": row.text("obstacle"),
        "due": day(row, "due"),
        "extension_request": (
            {
                "until": row.text("extend_until"),
                "reason": row.values["extension_reason"],
                "text": row.text("extension_text"),
            }
            if "extend_until" in row.values
            else None
        ),
    }


def _code(value: Any) -> object:
    return value["code"] if isinstance(value, dict) else value


_REPORTED: Final = Step(
    type="rectification.progress_reported",
    begun=("itemid",),
    needed=(),
    at="at",
    payload=_reported,
    places=lambda row: places_of(row.groups["measures"], "/measures"),
    again="at",
)
