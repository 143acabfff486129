"""What people write of a cadre, in an appointment form or in a row of a roster → the profile."""

from collections.abc import Iterator
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.placing import payload_of
from adapters.kit.port import RowFault, Translated
from adapters.kit.rows import Row
from adapters.organization.assessments import assessments
from adapters.organization.membership import political
from adapters.organization.profiles import (
    Contracts,
    event,
    numbered,
    politically,
    relatives,
)
from adapters.organization.resumes import prose, resume
from adapters.organization.schooling import courses

_WAYS: Final = ("full_time", "in_service")
# What stands in the payload otherwise than the form has it.
_MADE: Final = frozenset(
    {"key", "personid", "source", "resume", "assessments", "rewards"}
    | {
        f"{way}_{part}"
        for way in _WAYS
        for part in ("level", "level_named", "degree", "school", "more")
    }
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a form or a row, but for what the kit adds; a function of it alone."""
    number = numbered(row)
    joined = political(row.text("joined_party") or "")
    family = list(relatives(row, "family"))
    read = {
        "joined_party": joined,
        "resume": resume(row.text("resume") or ""),
        "assessments": assessments(row.text("assessments") or ""),
    }
    studied = {way: list(courses(row, way)) for way in _WAYS}
    faults = [row.wrong(field, value) for field, value in read.items() if isinstance(value, Wrong)]
    faults += _of_degrees(studied, row)
    faults += [each for each in family if isinstance(each, RowFault)]
    if isinstance(number, Wrong):
        faults.append(row.wrong("personid" if "personid" in row.values else "key", number))
        return tuple(faults)
    if faults or isinstance(joined, Wrong):
        return tuple(faults)
    payload = payload_of(row, _MADE)
    payload["person"] |= {"political": row.values.get("political") or politically(joined)}
    payload |= {
        "resume": read["resume"],
        "assessments": read["assessments"],
        "education": [course for way in _WAYS for course in studied[way]],
        "family": family,
        "rewards": prose(row.text("rewards") or ""),
    }
    return (event(row, contracts, number, payload),)


def _of_degrees(studied: dict[str, list[dict[str, Any]]], row: Row) -> Iterator[RowFault]:
    for way, found in studied.items():
        for course in found:
            if isinstance(wrong := course.get("degree"), Wrong):
                yield row.wrong(f"{way}_degree", wrong)
