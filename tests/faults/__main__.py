"""`make faults`: every fault once; with MINUTES faults at random until the time is over.

First those of a hub on PostgreSQL alone, then, for as long, those of one over Kafka.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Generic

from tests.faults import cases, kafkacases
from tests.faults.cases import Case, F
from tests.faults.field import field
from tests.faults.overkafka import field_over_kafka
from tests.faults.trial import Tried, table, tried

Told = Callable[[str], None]


@dataclass(frozen=True)
class Campaign(Generic[F]):
    """Cases to try on one field."""

    field: Callable[[Path], AbstractContextManager[F]]
    cases: Sequence[Case[F]]

    def rows(self, only: str, dice: Random, minutes: float, told: Told) -> Iterator[Tried]:
        """What came of each case with `only` in its name, as soon as it is known."""
        cases = [case for case in self.cases if only in case.name]
        if not cases:
            return
        with (
            TemporaryDirectory(prefix="guantong-faults-") as folder,
            self.field(Path(folder)) as place,
        ):
            for case, times in chosen(cases, dice, minutes):
                told(case.name)
                yield tried(case, place, dice, times=times)


def chosen(cases: Sequence[Case[F]], dice: Random, minutes: float) -> Iterator[tuple[Case[F], int]]:
    """The cases to try, in order, and how many times each."""
    if not minutes:
        yield from ((case, case.times) for case in cases)
        return
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        yield (case := dice.choice(cases)), case.long if dice.randrange(8) == 0 else case.times


def main() -> int:
    """The exit status: 1 when anything was lost, doubled, reordered, or did not go on."""
    arguments = argparse.ArgumentParser(prog="python -m tests.faults")
    arguments.add_argument("--seed", type=int, default=20261125)
    arguments.add_argument("--minutes", type=float, default=0)
    arguments.add_argument("--only", default="")
    given = arguments.parse_args()
    dice = Random(given.seed)
    rows: dict[str, Tried] = {}
    began = time.monotonic()

    def told(name: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {name}\n")

    plain = Campaign(field, cases.CASES)
    over_kafka = Campaign(field_over_kafka, kafkacases.CASES)
    half = given.minutes / 2
    try:
        for campaign in (plain, over_kafka):
            for row in campaign.rows(given.only, dice, half, told):
                rows[row.name] = rows[row.name].and_also(row) if row.name in rows else row
    finally:
        sys.stdout.write(f"SEED={given.seed}\n\n{table(list(rows.values()))}\n")
    return int(not all(row.is_well for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
