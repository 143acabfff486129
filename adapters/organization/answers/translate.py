"""The rows of a batch with an opinion on each of its persons → one agency's answer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher, signed
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, missing, out_of_order

# What the letter brings, and what a site says of every answer.
_ASKED: Final = frozenset({"batchid", "receipt", "correlation", "agency"})
# Of these the contract wants a file to ask for, and of the others none.
_WITH_DETAIL: Final = frozenset({"objection", "pending_case"})
_TWICE: Final = Wrong(
    FaultKind.MISMATCH, "与同一批次的另一名人选相同", "请照征求意见名单中的序号填写，一人一行"
)
_NO_OPINION: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而同一批次的其他各栏已填",
    "一个批次的人选须一并回复，请逐人填写意见",
)
_NO_FILE: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而意见是“有不同意见”或“有未办结事项”",
    "请填详情件号（只填件号，不写情况）和保管人联系方式",
)
_NEEDLESS_FILE: Final = Wrong(
    FaultKind.MISMATCH, "已填写，而意见是“无不同意见”或“无记录”", "请清空详情件号，或改正意见"
)
_NO_CUSTODIAN: Final = Wrong(
    FaultKind.MISSING, "没有填写，而有的人选填了详情件号", "请填写可以查询详情件的联系方式"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The answer that the rows of a batch make, but for what the kit adds. A batch of which nothing
    is filled in yet gives nothing."""
    persons = row.groups["persons"]
    if row.values.keys() <= _ASKED and not any(_told(person) for person in persons):
        return ()
    faults = tuple(_faults(row, contracts))
    if faults:
        return faults
    agency: Any = row.values["agency"]
    return (answered(row, _GIVEN, contracts, case=f"{row.values['batchid']}/{agency['code']}"),)


def _told(person: Row) -> bool:
    return person.values.keys() > {"person_no"}


def _faults(row: Row, contracts: Contracts) -> Iterator[RowFault]:
    yield from missing(row, _GIVEN, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from out_of_order(row, (("records_as_of", "at"),))
    seen = set()
    for person in row.groups["persons"]:
        number = person.values["person_no"]
        if number in seen:
            yield person.wrong("person_no", _TWICE)
        seen.add(number)
        yield from _unclear(person)
    if "custodian" not in row.values:
        filed = (one for one in row.groups["persons"] if "detail_ref" in one.values)
        yield from (row.wrong("custodian", _NO_CUSTODIAN) for _ in list(filed)[:1])


def _unclear(person: Row) -> Iterator[RowFault]:
    result: Any = person.values.get("result")
    if result is None:
        yield person.wrong("result", _NO_OPINION)
    elif result["code"] in _WITH_DETAIL and "detail_ref" not in person.values:
        yield person.wrong("detail_ref", _NO_FILE)
    elif result["code"] not in _WITH_DETAIL and "detail_ref" in person.values:
        yield person.wrong("detail_ref", _NEEDLESS_FILE)


def _given(row: Row) -> Mapping[str, Any]:
    return {
        "batchid": row.text("batchid"),
        "agency": row.values["agency"],
        "opinions": [
            {name: person.values.get(name) for name in ("person_no", "result", "detail_ref")}
            for person in row.groups["persons"]
        ],
        "records_as_of": row.text("records_as_of"),
        "custodian": row.text("custodian"),
        "approved_by": {"name": row.text("approved_by")},
        "handlers": signed(row, "handlers"),
    }


_GIVEN: Final = Step(
    type="cadre.opinion_given",
    begun=("at",),
    needed=("agency", "at", "records_as_of", "approved_by", "handlers"),
    at="at",
    payload=_given,
    places=lambda row: places_of(row.groups["persons"], "/opinions"),
)
