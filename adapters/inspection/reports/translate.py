"""A row of the report sheet, with its lists → one report to the committee or the office above."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    documents,
    letter,
    misaddressed,
    org,
    repeated,
)
from adapters.kit.convert import Wrong
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, Place, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_WORK: Final = {
    "talks": "talks",
    "documents": "documents_read",
    "letters": "letters",
    "visits": "visits",
}
_HALF_THE_WORK: Final = Wrong(
    FaultKind.MISSING, "没有填写，而其他工作量已填", "工作量四项要么都填，要么都不填"
)
_ANOTHER_PARTY: Final = Wrong(
    FaultKind.MISMATCH, "在“被巡党组织”中没有", "请核对党组织编号，或在“被巡党组织”中补一行"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The report of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_SUBMITTED],
        contracts,
        case=str(row.values["reportid"]),
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    if any(field in row.values for field in _WORK.values()):
        for field in _WORK.values():
            if field not in row.values:
                yield row.wrong(field, _HALF_THE_WORK)
    yield from repeated(row.groups["targets"], "targetid")
    yield from repeated(row.groups["issues"], "issueid")
    yield from repeated(row.groups["suggestions"], "no")
    known = {part.values["targetid"] for part in row.groups["targets"]}
    for part in row.groups["issues"]:
        if "targetid" in part.values and part.values["targetid"] not in known:
            yield part.wrong("targetid", _ANOTHER_PARTY)
    yield from out_of_order(row, (("period_from", "period_to"), ("period_from", "at")))


def _submitted(row: Row) -> Mapping[str, Any]:
    return {
        "letter": letter(row),
        "reportid": row.text("reportid"),
        "kind": row.values["kind"],
        "title": row.text("title"),
        "roundid": row.text("roundid"),
        "groupid": row.text("groupid"),
        "year": row.text("year"),
        "period": {"from": row.text("period_from"), "to": row.text("period_to")},
        "reported_on": row.text("at"),
        "to_be_heard_by": row.values.get("heard_by"),
        "targets": [
            {
                "targetid": part.text("targetid"),
                "target": org(part, "target", "target_uscc"),
                "judgement": part.text("judgement"),
            }
            for part in row.groups["targets"]
        ],
        "work": (
            {name: row.values[field] for name, field in _WORK.items()}
            if "talks" in row.values
            else None
        ),
        "overview": row.text("overview"),
        "issues_total": row.values["issues_total"],
        "issues": [
            {
                "issueid": part.text("issueid"),
                "paper_no": part.text("paper_no"),
                "targetid": part.text("targetid"),
                "category": part.values["category"],
                "focus": part.values.get("focus"),
                "issue": part.text("issue"),
                "manifestation": part.text("manifestation"),
            }
            for part in row.groups["issues"]
        ],
        "clues_total": row.values.get("clues_total"),
        "suggestions": [
            {
                "no": part.values["no"],
                "kind": part.values.get("kind"),
                "text": part.text("text"),
            }
            for part in row.groups["suggestions"]
        ],
        "documents": documents(row, "papers"),
        "omitted_marked": row.values.get("omitted"),
        "custodian": row.text("custodian"),
    }


def _places(row: Row) -> dict[str, Place]:
    return {
        at: place
        for name in ("targets", "issues", "suggestions")
        for at, place in places_of(row.groups[name], f"/{name}").items()
    }


_SUBMITTED: Final = Step(
    type="report.submitted",
    begun=("reportid",),
    needed=(),
    at="at",
    payload=_submitted,
    places=_places,
)
