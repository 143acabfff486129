"""A slip in a translation refuses the rows that it meets, and holds up no other."""

from pathlib import Path
from shutil import copy

import pytest

from adapters.kit.adapter import available, load
from adapters.kit.dry import Refused, dry_run
from adapters.kit.port import FaultKind
from tests.adapters.test_dry import export

OWN = """from adapters.petition.translate import translate as shipped

def translate(row, contracts):
    if row.values["people"] == 2:
        return slip(row, contracts)
    return shipped(row, contracts)

def slip(row, contracts):
    {slip}
"""


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ("return row.values[row.text('summary')]", "KeyError，translate.py 第 9 行"),
        ("raise ValueError(row.text('summary'))", "ValueError，translate.py 第 9 行"),
        ("yield 1 / 0", "ZeroDivisionError，translate.py 第 9 行"),
        ("return None", "TypeError"),
        ("return [dict(row.values)]", "TypeError"),
        ("return shipped(row, contracts)[0].attributes", "TypeError"),
    ],
)
def test_its_rows_are_refused_by_what_was_raised_and_where(
    tmp_path: Path, slip: str, told: str
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    copy(available()["petition"] / "mapping.toml", own)
    (own / "translate.py").write_text(OWN.format(slip=slip), encoding="utf-8")
    rows = [{"xfjbh": f"{n}", "xfrs": f"{n}"} for n in (1, 2, 3)]
    done = dry_run(load(own), export(tmp_path / "in.csv", *rows), "510100.petition")
    assert done.types == {"petition.case_transferred": 2}
    (refused,) = done.faults
    assert refused == Refused(
        FaultKind.PROGRAM,
        "",
        1,
        f"转换程序出错（{told}）",
        "该行未发送，请把行号和原因告知适配器的开发者，改好程序后重新放入",
        (("", 3),),
    )
