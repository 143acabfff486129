"""`make faults`: every fault once; with MINUTES faults at random until the time is over."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.faults.cases import CASES, Case
from tests.faults.field import field
from tests.faults.trial import Tried, table, tried


def chosen(only: str, dice: Random, minutes: float) -> Iterator[tuple[Case, int]]:
    """The cases to try, in order, and how many times each: those with `only` in their name."""
    cases = [case for case in CASES if only in case.name]
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
    try:
        with TemporaryDirectory(prefix="guantong-faults-") as folder, field(Path(folder)) as place:
            for case, times in chosen(given.only, dice, given.minutes):
                sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {case.name}\n")
                row = tried(case, place, dice, times=times)
                rows[case.name] = rows[case.name].and_also(row) if case.name in rows else row
    finally:
        sys.stdout.write(f"SEED={given.seed}\n\n{table(list(rows.values()))}\n")
    return int(not all(row.is_well for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
