"""What a new policy changes of the standing one: record by record, field by field, as written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.policy.document import AgencyRecord, Grant, PolicyDocument, Recusal, Round

Record = AgencyRecord | Grant | Recusal | Round


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that both documents have under one id: field → (old, new), None where absent."""

    id: str
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class PartDifference:
    """What becomes of one part of the document: ids, in the order written."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Part by part. `changed`: whether it is another document at all, if only in its order."""

    changed: bool
    agencies: PartDifference
    grants: PartDifference
    recusals: PartDifference
    rounds: PartDifference


def difference(old: PolicyDocument, new: PolicyDocument) -> Difference:
    """The difference between two documents whose ids each stand once."""
    return Difference(
        changed=old != new,
        agencies=_of_part(old.agencies, new.agencies),
        grants=_of_part(old.grants, new.grants),
        recusals=_of_part(old.recusals, new.recusals),
        rounds=_of_part(old.rounds, new.rounds),
    )


def _of_part(old: Sequence[Record], new: Sequence[Record]) -> PartDifference:
    standing = {record.id: record for record in old}
    proposed = {record.id: record for record in new}
    return PartDifference(
        added=tuple(id_ for id_ in proposed if id_ not in standing),
        removed=tuple(id_ for id_ in standing if id_ not in proposed),
        changed=tuple(
            Changed(id_, _fields(standing[id_], record))
            for id_, record in proposed.items()
            if id_ in standing and standing[id_] != record
        ),
    )


def _fields(old: Record, new: Record) -> dict[str, tuple[Any, Any]]:
    before, after = (
        r.model_dump(mode="json", by_alias=True, exclude_none=True) for r in (old, new)
    )
    names = (info.alias or name for name, info in type(new).model_fields.items())
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
