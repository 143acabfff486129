"""By when a reply is owed, unless a node or the letter itself says otherwise (`deadlines.csv`).

Data, not code: places differ. A rule without an amount has none of its own: the node sets it, or
the item or letter names the day. `level`: the row holds there alone, before the one for all.
`source` says where the figure is from, `guantong` that it is ours; `confirmed` whether its text was
seen.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal, cast, get_args

Unit = Literal["hours", "working_days", "days", "months", "quarters", "years", "before_leaving"]
_UNITS: Final = frozenset(get_args(Unit))


@dataclass(frozen=True, slots=True)
class Deadline:
    """One row: `amount` of `unit`, or None where the node or the letter says it."""

    rule: str
    amount: int | None
    unit: Unit | None
    level: str | None
    title: str
    title_en: str
    source: str
    confirmed: bool


@cache
def deadlines() -> tuple[Deadline, ...]:
    """All the rules, in the file's order."""
    text = (files("contracts") / "deadlines.csv").read_text(encoding="utf-8")
    return tuple(_read(row) for row in csv.DictReader(text.splitlines()))


def deadline(rule: str, level: str | None = None) -> Deadline:
    """The rule for that level. Raises LookupError for a rule that is not listed."""
    rows = [row for row in deadlines() if row.rule == rule and row.level in (level, None)]
    if not rows:
        raise LookupError(f"no such deadline: {rule}")
    return max(rows, key=lambda row: row.level is not None)


def _read(row: dict[str, str]) -> Deadline:
    unit = row["unit"] or None
    if unit is not None and unit not in _UNITS:
        raise ValueError(f"{row['rule']}: no such unit {unit}")
    return Deadline(
        rule=row["rule"],
        amount=int(row["amount"]) if row["amount"] else None,
        unit=cast("Unit | None", unit),
        level=row["level"] or None,
        title=row["title"],
        title_en=row["title_en"],
        source=row["source"],
        confirmed=row["confirmed"] == "yes",
    )
