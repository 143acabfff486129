"""The rows of a year's plan → the plan, project by project."""

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.audit.findings import of_project
from adapters.kit.convert import Wrong, plain
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.placing import payload_of, places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_YEAR: Final = re.compile(r"((?:19|20)[0-9]{2})年?度?")
_NO_YEAR: Final = Wrong(FaultKind.DATE, "不是四位年份", "请写成 2026 或 2026年度")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a plan's rows, but for what the kit adds; a function of them alone."""
    if faults := tuple(_faults(row)):
        return faults
    contract = contracts["audit.plan_shared"]
    event = Translated(
        native=str(row.values["planid"]),
        attributes=contract_attributes(contract) | {"time": moment(str(row.values["shared_on"]))},
        data=payload_bytes(contract, _payload(row)),
        places=places_of(row.groups["projects"], "/projects"),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    if _year(row) is None:
        yield row.wrong("year", _NO_YEAR)
    for part in row.groups["projects"]:
        yield from of_project(part)


def _year(row: Row) -> str | None:
    match = _YEAR.fullmatch(plain(row.text("year") or ""))
    return match[1] if match else None


def _payload(row: Row) -> dict[str, Any]:
    projects = [payload_of(part)["projects"][0] for part in row.groups["projects"]]
    return payload_of(row) | {"year": _year(row), "projects": projects}
