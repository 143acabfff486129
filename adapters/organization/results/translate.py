"""The rows of a matter with what was made of its results → one report of their application."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, missing

# What the letter that tells of the results brings.
_NOTIFIED: Final = frozenset({"matterid", "receipt", "correlation"})
_SUGGESTED: Final = frozenset({"no", "suggestion"})
_NO_NUMBER: Final = Wrong(
    FaultKind.MISSING, "没有填写，又没有建议序号", "不是按建议运用的，请填运用序号，每项一个"
)
_TWICE: Final = Wrong(
    FaultKind.MISMATCH,
    "与同一件的另一项相同（不填的即建议序号）",
    "一条建议有几项运用的，请给每项填不同的运用序号",
)
_NO_USE: Final = Wrong(FaultKind.MISSING, "没有填写，而同一行的其他各栏已填", "请选择运用方式")
_EMPTY: Final = Wrong(
    FaultKind.MISSING, "没有填写，也没有未运用的理由", "请填运用情况；未运用的请填理由"
)
_BOTH: Final = Wrong(
    FaultKind.MISMATCH, "已填写，而同一行又填了运用情况", "已运用的不填未运用的理由，二者只填一种"
)
_NO_DAY: Final = Wrong(FaultKind.MISSING, "没有填写，而运用情况已填", "请填运用日期")
_UNTITLED: Final = Wrong(FaultKind.MISSING, "没有填写，而文件文号已填", "请填文件名称")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The report that the rows of a matter make, but for what the kit adds. Results of which
    nobody has made anything yet give nothing."""
    uses = _uses(row)
    if not uses and row.values.keys() <= _NOTIFIED:
        return ()
    faults = tuple(_faults(row, uses, contracts))
    return faults or (answered(row, _APPLIED, contracts, case=str(row.values["matterid"])),)


def _uses(row: Row) -> list[Row]:
    """What has been made of the suggestions so far."""
    return [use for use in row.groups["uses"] if not use.values.keys() <= _SUGGESTED]


def _faults(row: Row, uses: list[Row], contracts: Contracts) -> Iterator[RowFault]:
    yield from missing(row, _APPLIED, contracts)
    if not uses:
        yield row.groups["uses"][0].wrong("text", _EMPTY)
    seen = set()
    for use in uses:
        number = _number(use)
        if number is None:
            yield use.wrong("no", _NO_NUMBER)
        elif number in seen:
            yield use.wrong("no", _TWICE)
        seen.add(number)
        yield from _unclear(use)


def _unclear(use: Row) -> Iterator[RowFault]:
    said = use.values.keys()
    if "use" not in said:
        yield use.wrong("use", _NO_USE)
    if not said & {"text", "not_used_because"}:
        yield use.wrong("text", _EMPTY)
    elif {"text", "not_used_because"} <= said:
        yield use.wrong("not_used_because", _BOTH)
    if "text" in said and "on" not in said:
        yield use.wrong("on", _NO_DAY)
    if "document_no" in said and "document" not in said:
        yield use.wrong("document", _UNTITLED)


def _number(use: Row) -> Any:
    """A use goes by the suggestion's number unless it has one of its own."""
    return use.values.get("no", use.values.get("suggestion"))


def _applied(row: Row) -> Mapping[str, Any]:
    docno = row.text("docno")
    return {
        "letter": {"docno": docno} if docno else None,
        "matterid": row.text("matterid"),
        "reported_on": row.text("at"),
        "uses": [_use(use) for use in _uses(row)],
        "suggestions": row.text("suggestions"),
    }


def _use(use: Row) -> Mapping[str, Any]:
    plain = ("suggestion", "use", "text", "on", "persons", "not_used_because")
    title = use.text("document")
    papers = [{"title": title, "docno": use.text("document_no")}] if title else None
    return {name: use.values.get(name) for name in plain} | {
        "no": _number(use),
        "documents": papers,
    }


_APPLIED: Final = Step(
    type="result.applied",
    begun=("at",),
    needed=("at",),
    at="at",
    payload=_applied,
    places=lambda row: places_of(_uses(row), "/uses"),
)
