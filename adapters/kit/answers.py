"""shim"""

from collections.abc import Iterable
from pathlib import Path

from adapters.kit.port import RowFault
from adapters.kit.report import write_report


def write_answers(
    original: Path, name: str, faults: Iterable[RowFault], into: Path
) -> tuple[Path, ...]:
    faults = list(faults)
    path = into / f"{name}.errors.csv"
    if not faults:
        path.unlink(missing_ok=True)
        return ()
    write_report(path, name, faults)
    return (path,)
