"""shim"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.kit.port import Reader
from adapters.kit.readers.csv import CsvFile, examine_csv
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import Wanted


@contextmanager
def opened(path: Path, name: str, wanted: Wanted, limits: Limits) -> Iterator[Reader]:
    yield CsvFile(examine_csv(path, limits), name=name, wanted=wanted, limits=limits)
