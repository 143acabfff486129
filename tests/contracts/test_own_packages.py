"""Contracts of an installation's own: packages beside Guantong that say so by an entry point."""

from pathlib import Path

import pytest

from contracts.catalogue import OwnUnusable, load_catalogue

SHIPPED = set(load_catalogue())
DECLARED = '''
from typing import Annotated

from contracts.classes import F1
from contracts.common import OrgRef, Payload
from contracts.declare import event
from contracts.values import Identifier


@event("{type}", "欠缴通报", "Arrears", key="/number", flows=("H01",), publishers=("{publisher}",))
class Arrears(Payload):
    """Arrears.

    欠缴。
    """

    number: Annotated[Identifier, F1("编号", "number")]
    org: Annotated[OrgRef, F1("单位", "employer")]
'''


def installed(place: Path, patch: pytest.MonkeyPatch, name: str, source: str) -> None:
    """Have a package of this name, with this first version, beside those that are there."""
    (place / name).mkdir()
    (place / name / "__init__.py").touch()
    (place / name / "v1.py").write_text(source, encoding="utf-8")
    about = place / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[guantong.contracts]\n{name} = {name}\n")
    patch.syspath_prepend(place)


def test_what_a_package_declares_stands_beside_what_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DECLARED.format(type="briefing.arrears", publisher="functional-dept")
    installed(tmp_path, monkeypatch, "own_arrears", source)
    catalogue = load_catalogue.__wrapped__()
    added = set(catalogue) - SHIPPED
    assert {contract.urn for contract in added} == {"urn:guantong:contract:briefing.arrears:1.0"}
    assert set(catalogue) >= SHIPPED
    assert catalogue.senders(*added) == {"functional-dept"}


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("own_broken", "def", "SyntaxError"),
        ("own_lost", "import nowhere_to_be_found", "ModuleNotFoundError"),
        (
            "own_family",
            DECLARED.format(type="weather.warned", publisher="functional-dept"),
            "the matrix has no row for weather.warned",
        ),
        (
            "own_wider",
            DECLARED.format(type="briefing.arrears", publisher="media"),
            "not publishers in the matrix: ['media']",
        ),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named_with_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, told: str
) -> None:
    installed(tmp_path, monkeypatch, name, source)
    with pytest.raises(OwnUnusable) as raised:
        load_catalogue.__wrapped__()
    assert f"契约包 {name} 不能装入，请改正或卸载" in str(raised.value)
    assert told in str(raised.value)


def test_a_package_does_not_take_the_place_of_what_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DECLARED.format(type="briefing.provided", publisher="functional-dept")
    installed(tmp_path, monkeypatch, "own_provided", source)
    with pytest.raises(ValueError, match=r"released twice: urn:guantong:contract:briefing\.prov"):
        load_catalogue.__wrapped__()
