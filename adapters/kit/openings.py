"""The openings that reached an agency: a reply names the one that it answers."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind, Translated
from adapters.kit.state import State
from contracts.catalogue import Catalogue
from contracts.contract import Contract

UNKNOWN: Final = Wrong(
    FaultKind.OPENING,
    "所答复的来文没有收到过",
    "请核对编号；来文若由其他途径收到，请先在贯通中接收",
)


def keep_openings(state: State, catalogue: Catalogue, events: Iterable[Mapping[str, Any]]) -> None:
    """Remember, by case, what may be answered; an event without its case is passed over."""
    rows = [row for event in events if (row := _opening(catalogue, event))]
    with state.transaction() as database:
        database.executemany("INSERT OR IGNORE INTO openings VALUES (?, ?, ?, ?)", rows)


def answering(
    database: sqlite3.Connection, contract: Contract, case: str, made: Translated
) -> Translated | Wrong:
    """The event with its opening named, if it is a reply that does not name it itself."""
    if not contract.answers or "causationid" in made.attributes:
        return made
    marks = ", ".join("?" * len(contract.answers))
    found = database.execute(
        f"SELECT receipt, correlation FROM openings WHERE key = ? AND type IN ({marks})"
        " ORDER BY rowid DESC LIMIT 1",
        (f"{contract.family}:{case}", *contract.answers),
    ).fetchone()
    if found is None:
        return made if contract.unasked else UNKNOWN
    receipt, correlation = found
    named = {"causationid": receipt} | ({"correlationid": correlation} if correlation else {})
    return replace(made, attributes={**made.attributes, **named})


def _opening(
    catalogue: Catalogue, event: Mapping[str, Any]
) -> tuple[str, str, str, str | None] | None:
    contract = catalogue.by_dataschema(event.get("dataschema", ""))
    if contract is None or "hubreceipt" not in event:
        return None
    case: Any = event.get("data")
    for step in contract.key.split("/")[1:]:
        case = case.get(step) if isinstance(case, dict) else None
    if not isinstance(case, str | int):
        return None
    key = f"{contract.family}:{case}"
    return event["hubreceipt"], key, contract.type, event.get("correlationid")
