"""Cadres from forms and packages, read and made into profiles: against the library alone.

Alone, lxml makes a tree of every form; py7zr unpacks the package into memory, and lxml goes through
its tables. Nothing is joined or checked, and nobody knows what a profile is: the goals are small,
and keep what was reached from being lost.
"""

import base64
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from lxml import etree
from py7zr import SevenZipFile
from py7zr.io import BytesIOFactory

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.making import make
from adapters.kit.readers.opening import opened
from tests.adapters.readers.packages import members, seven, table
from tests.bench.measure import rate, report

FORMS, PERSONS, ROUNDS = 400, 3_000, 3
KEY = '[fields.key]\ndefault = "bench-bench-bench"\n'
PHOTO = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 60)
LINE = "2003.08--2010.05  示范市样例建筑公司科长（其间：2005.09--2008.07在示范大学学习）"


def adapter(name: str, folder: Path) -> Adapter:
    site = folder / f"{name}.toml"
    site.write_text(KEY, encoding="utf-8")
    return load(name, site)


def made(using: Adapter, path: Path) -> int:
    """How many profiles a file gives; nothing is refused."""
    with opened(path, path.name, using.mapping.wanted) as reader:
        given = [make(using, record) for record in reader.read()]
    assert not any(each.faults for each in given)
    return sum(len(each.events) for each in given)


def write_forms(path: Path) -> None:
    sample = available()["organization.forms"] / "samples" / "lrmx" / "in.lrmx"
    form = etree.fromstring(sample.read_bytes())
    for name, text in (("ZhaoPian", PHOTO.decode()), ("ShenFenZheng", "")):
        element = form.find(name)
        assert element is not None
        element.text = text
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(FORMS):
            person = form.find("XingMing")
            assert person is not None
            person.text = f"样例{number}"
            archive.writestr(f"{number:04}.lrmx", etree.tostring(form, encoding="utf-8"))


def forms_alone(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(len(etree.fromstring(archive.read(each))) > 0 for each in archive.infolist())


def of_each(number: int) -> dict[str, list[Mapping[str, str]]]:
    """What the tables say of one person."""
    who = {"A0000": f"P{number:06}"}
    return {
        "A01": [
            who
            | {
                "A0101": f"样例{number}",
                "A0104": "1",
                "A0107": "198002",
                "A0117": "01",
                "A0140": "2001.06",
                "A0192A": "示范市样例局科长",
                "A1701": f"1999.07--2003.08  示范市样例厂技术员\n{LINE}\n2010.05--  科长",
                "XGSJ": "2026-01-15",
            }
        ],
        "A08": [who | {"A0837": "1", "A0801B": "21", "A0801A": "大学", "A0814": "示范大学"}],
        "A15": [who | {"A1521": f"{year}", "A1517": "2"} for year in range(2021, 2026)],
        "A36": [
            who | {"A3604A": "12", "A3601": f"甲{number}"},
            who | {"A3604A": "20", "A3601": "乙"},
        ],
    }


def write_package(path: Path) -> None:
    everyone = [of_each(number) for number in range(PERSONS)]
    tables = {name: table([row for each in everyone for row in each[name]]) for name in everyone[0]}
    path.write_bytes(seven(members(tables)))


def package_alone(path: Path) -> int:
    unpacked = BytesIOFactory(1 << 30)
    with SevenZipFile(path) as archive:
        archive.extractall(factory=unpacked)
    persons = 0
    for name, content in unpacked.products.items():
        if name.endswith(".xml"):
            rows = sum(
                len(row.attrib) > 0
                for _, row in etree.iterparse(BytesIO(content.read()), tag="row")
            )
            persons += rows if name.endswith("A01.xml") else 0
    assert persons == PERSONS
    return persons


def run() -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        forms, package = folder / "forms.zip", folder / "package.7z"
        write_forms(forms)
        write_package(package)
        of_forms = adapter("organization.forms", folder)
        of_packages = adapter("organization.packages", folder)
        figures: dict[str, tuple[list[float], list[float]]] = {"forms": ([], []), "7z": ([], [])}
        for _ in range(ROUNDS):
            figures["forms"][0].append(rate(lambda: made(of_forms, forms)))
            figures["forms"][1].append(rate(lambda: forms_alone(forms)))
            figures["7z"][0].append(rate(lambda: made(of_packages, package)))
            figures["7z"][1].append(rate(lambda: package_alone(package)))
    ours, reference = figures["forms"]
    held = report(
        "LRMX forms in a zip made into profiles / lxml alone",
        ours=ours,
        reference=reference,
        goal=0.012,
    )
    ours, reference = figures["7z"]
    return held & report(
        "persons of a 7z made into profiles / py7zr and lxml alone",
        ours=ours,
        reference=reference,
        goal=0.025,
    )
