"""A batch of persons, a row for each → one request for opinions to all the agencies asked."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.named import org
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, made, out_of_order
from contracts.agency import AddressError, parse_addresses

_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是贯通的机构地址",
    "请填机构地址，如 discipline@510100，几个用空格隔开；按征求意见单位发送的不用填",
)
_UNLISTED: Final = Wrong(
    FaultKind.IDENTIFIER,
    "中有的单位没有贯通地址",
    "请在“收件机构”列填写全部地址，或由管理员在站点映射 [fields.to.aliases] 中补上该单位",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The request that the rows of a batch make, but for what the kit adds; none where nobody is
    asked over the hub."""
    faults = tuple(_faults(row))
    if faults:
        return faults
    addresses = _addresses(row)
    if not addresses:
        return ()
    return (
        made(
            row,
            _REQUESTED,
            contracts,
            case=str(row.values["batchid"]),
            to=" ".join(addresses),
            correlationid=row.text("correlation"),
        ),
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from out_of_order(row, (("at", "due"), ("records_from", "at")))
    if "to" in row.values:
        try:
            parse_addresses(row.text("to") or "")
        except AddressError:
            yield row.wrong("to", _NO_ADDRESS)
    elif any(one["label"] not in row.fields["to"].aliases for one in _asked(row)):
        yield row.wrong("asked", _UNLISTED)


def _addresses(row: Row) -> list[str]:
    """Whom it goes to as the row says, or as the site knows the agencies asked: nobody else is
    shown the persons. Who is not asked over the hub has a blank address."""
    if said := row.text("to"):
        return said.split()
    known = row.fields["to"].aliases
    return [known[one["label"]] for one in _asked(row) if known[one["label"]]]


def _asked(row: Row) -> list[dict[str, str]]:
    asked: Any = row.values["asked"]
    return list(asked)


def _requested(row: Row) -> Mapping[str, Any]:
    docno, due = row.text("docno"), row.text("due")
    start = str(row.values["at"])[: len("2026-11-01")]
    return {
        "letter": {"docno": docno} if docno else None,
        "batchid": row.text("batchid"),
        "purpose": row.values["purpose"],
        "purpose_note": row.text("purpose_note"),
        "persons": [_candidate(person) for person in row.groups["persons"]],
        "agencies": _asked(row),
        "records_from": row.text("records_from"),
        "contact": row.text("contact"),
        "due": {"rule": "cadre.opinion", "start": start, "date": due} if due else None,
    }


def _candidate(row: Row) -> Mapping[str, Any]:
    return {
        "person_no": row.values["person_no"],
        "person": {
            "name": row.text("name"),
            "idno": row.text("idno"),
            "gender": row.text("gender"),
            "birth": row.text("birth"),
            "org": org(row.text("org")),
            "post": row.text("post"),
            "rank": row.values.get("rank"),
            "authority": row.text("authority"),
            "political": row.values.get("political"),
        },
        "proposed": row.text("proposed"),
    }


_REQUESTED: Final = Step(
    type="cadre.opinion_requested",
    begun=("batchid",),
    needed=("at",),
    at="at",
    payload=_requested,
    places=lambda row: places_of(row.groups["persons"], "/persons"),
)
