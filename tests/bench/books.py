"""Account books against lxml alone: how fast a set is read, and in how much memory.

`iterparse` of the same file builds each voucher and forgets it; it decodes nothing, checks nothing
and adds nothing up. Memory is that of a process that reads 10 MB, and of one that reads a hundred
times as much with FULL=1.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lxml import etree

from tests.adapters.account_books import read_books, write_books
from tests.bench.measure import rate, report

VOUCHERS = 30_000
FEW, MANY = 14_000, 1_400_000
ROUNDS = 3


def parsed(path: Path) -> int:
    """How many vouchers' lines lxml finds."""
    found = 0
    for _, line in etree.iterparse(str(path), tag="记账凭证"):
        found += 1
        line.clear()
        while line.getprevious() is not None:
            del line.getparent()[0]
    return found


def most_memory(vouchers: int, folder: Path) -> float:
    """KiB of a process of its own."""
    path = str(folder / "books.xml")
    command = [sys.executable, "-m", "tests.adapters.account_books", path, str(vouchers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def run() -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "books.xml"
        write_books(path, VOUCHERS)
        ours, alone = [], []
        for _ in range(ROUNDS):
            ours.append(rate(lambda: read_books(path)))
            alone.append(rate(lambda: parsed(path)))
        fast = report(
            "account books, counted and balanced / lxml's iterparse alone",
            ours=ours,
            reference=alone,
            goal=0.12,
            unit="lines/s",
            mib=path.stat().st_size >> 20,
        )
        many = MANY if os.environ.get("FULL") == "1" else MANY // 10
        few = most_memory(FEW, folder)
        lean = report(
            "memory of reading account books of 10 MB / 100 MB (1 GB with FULL=1)",
            ours=[few],
            reference=[most_memory(many, folder)],
            goal=0.9,
            unit="KiB",
        )
        return fast and lean
