"""A row of the feedback sheet, with its lists of issues and requirements → one feedback."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    agency_of,
    documents,
    letter,
    misaddressed,
    org,
    problem,
    repeated,
)
from adapters.kit.convert import Wrong
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, Place, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_TO_NOBODY: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而党组织编号不是贯通的机构编号",
    "请填被反馈党组织在贯通的机构编号，否则反馈意见不知送给谁",
)
_NO_LIST: Final = Wrong(
    FaultKind.MISSING,
    "在工作表“问题清单”或“整改要求”中没有内容",
    "请在这两张工作表中按同一党组织编号填写",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The feedback of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_ISSUED],
        contracts,
        case=f"{row.values['roundid']}/{row.values['targetid']}",
        wrong=_faults(row),
        named={"to": _party(row), "cc": addressees(row, "cc", "cc_kinds")},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    if _party(row) is None:
        yield row.wrong("to", _TO_NOBODY)
    yield from misaddressed(row)
    yield from misaddressed(row, "cc", "cc_kinds")
    if not (row.groups["issues"] and row.groups["requirements"]):
        yield row.wrong("targetid", _NO_LIST)
    yield from repeated(row.groups["issues"], "issueid")
    yield from repeated(row.groups["requirements"], "no")
    yield from out_of_order(
        row, (("held_on", "plan_due"), ("plan_due", "report_due"), ("held_on", "embargo_until"))
    )


def _party(row: Row) -> str | None:
    """The party that is told: what it is fed back is for no other party."""
    return row.text("to") or agency_of(str(row.values["targetid"]))


def _issued(row: Row) -> Mapping[str, Any]:
    return {
        "letter": letter(row),
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": org(row, "target", "target_uscc"),
        "groupid": row.text("groupid"),
        "issued_at": row.text("at"),
        "meeting": {
            "held_on": row.text("held_on"),
            "scope": row.values["scope"],
            "presided_by": row.text("presided_by"),
            "told_by": row.text("told_by"),
            "attended": row.values.get("attended"),
        },
        "judgement": row.text("judgement"),
        "issues": [problem(part) for part in row.groups["issues"]],
        "requirements": [
            {"no": part.values["no"], "text": part.text("text")}
            for part in row.groups["requirements"]
        ],
        "plan_due": row.text("plan_due"),
        "report_due": row.text("report_due"),
        "embargo_until": row.text("embargo_until"),
        "special": row.values.get("special"),
        "documents": documents(row, "documents"),
    }


def _places(row: Row) -> dict[str, Place]:
    issues, requirements = row.groups["issues"], row.groups["requirements"]
    return places_of(issues, "/issues") | places_of(requirements, "/requirements")


_ISSUED: Final = Step(
    type="feedback.issued",
    begun=("targetid",),
    needed=(),
    at="at",
    payload=_issued,
    places=_places,
)
