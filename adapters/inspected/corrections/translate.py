"""The rows of an act of supervision, a row for each finding → what was done about them. One of
which nothing is filled in yet gives nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, missing

# What the record of the supervision brings with it.
_RECORDED: Final = frozenset({"supervisionid", "targetid", "receipt", "correlation"})
# What each state is told with, and what not.
_DAYS: Final = {"corrected": "done_on", "under_way": "due"}
_TWICE: Final = Wrong(FaultKind.MISMATCH, "与同一次监督的另一条相同", "请照监督记录填写，一条一行")
_NO_NUMBER: Final = Wrong(
    FaultKind.MISSING, "没有填写，而该行的纠正各栏已填", "没有发现情况的监督记录不用报告纠正情况"
)
_UNTOLD: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而同一次监督的其他各栏已填",
    "一次监督的发现情况须一并报告；还没有纠正的，填“正在纠正”和完成期限",
)
_NO_DAY: Final = Wrong(
    FaultKind.MISSING, "没有填写", "已纠正的请填纠正日期，正在纠正的请填完成期限"
)
_LATE: Final = Wrong(FaultKind.STEP, "晚于报告日期", "请核对纠正日期和报告日期")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The report that the rows of a record make, but for what the kit adds."""
    findings = row.groups["findings"]
    if row.values.keys() <= _RECORDED and all(one.values.keys() <= {"no"} for one in findings):
        return ()
    if faults := tuple(_faults(row, contracts)):
        return faults
    return (answered(row, _REPORTED, contracts, case=str(row.values["supervisionid"])),)


def _faults(row: Row, contracts: Contracts) -> Iterator[RowFault]:
    yield from missing(row, _REPORTED, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    seen = set()
    for one in row.groups["findings"]:
        number = one.values.get("no")
        if number is None:
            yield one.wrong("no", _NO_NUMBER)
        elif number in seen:
            yield one.wrong("no", _TWICE)
        seen.add(number)
        yield from _of_finding(row, one)


def _of_finding(row: Row, one: Row) -> Iterator[RowFault]:
    for field in ("state", "text"):
        if field not in one.values:
            yield one.wrong(field, _UNTOLD)
    day = _DAYS.get(one.text("state") or "")
    if day and day not in one.values:
        yield one.wrong(day, _NO_DAY)
    done_on, reported_on = one.text("done_on"), row.text("at")
    if done_on and reported_on and done_on > reported_on:
        yield one.wrong("done_on", _LATE)


def _reported(row: Row) -> Mapping[str, Any]:
    return {
        "supervisionid": row.text("supervisionid"),
        "targetid": row.text("targetid"),
        "reported_on": row.text("at"),
        "led_by": {
            "name": row.text("led_by"),
            "post": row.text("led_by_post"),
            "kind": row.values["led_by_kind"],
        },
        "corrections": [_correction(one) for one in row.groups["findings"]],
    }


def _correction(one: Row) -> Mapping[str, Any]:
    return {
        "no": one.values["no"],
        "state": one.text("state"),
        "text": one.text("text"),
        "done_on": one.text("done_on"),
        "due": one.text("due"),
        "evidence": [{"title": title} for title in one.texts("evidence")] or None,
    }


_REPORTED: Final = Step(
    type="rectification.correction_reported",
    begun=("at",),
    needed=("at", "led_by", "led_by_kind"),
    at="at",
    payload=_reported,
    places=lambda row: places_of(row.groups["findings"], "/corrections"),
    again="at",
)
