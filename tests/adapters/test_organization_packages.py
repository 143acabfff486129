"""Packages of cadres become profiles, as large as they come, and rosters with them."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from openpyxl import load_workbook

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.dry import dry_run, rehearsed
from adapters.kit.making import FromRecord, make
from adapters.kit.port import Record
from adapters.kit.readers.opening import opened
from adapters.kit.results import Result
from adapters.kit.runner import run
from adapters.kit.state import open_state
from tests.adapters.readers.packages import PASSWORD, members, seven, table, zipped

ORGANIZATION = "510100.organization"
KEY = '[fields.key]\ndefault = "甲乙丙丁甲乙丙丁甲乙丙丁甲乙丙丁"\n'


def with_key(name: str, folder: Path, more: str = "") -> Adapter:
    site = folder / "site.toml"
    site.write_text(KEY + more, encoding="utf-8")
    return load(name, site)


def person(number: int, **more: str) -> dict[str, str]:
    return {
        "A0000": f"P{number:05}",
        "A0101": f"样例{number}",
        "A0192A": "示范市样例局科长",
        "A0140": "2001.06",
        "A1701": "1999.07--2003.08  示范市样例厂\n2003.08--  示范市样例局",
        "XGSJ": "2026-01-15",
    } | more


def family(number: int) -> dict[str, str]:
    return {"A0000": f"P{number:05}", "A3604A": "12", "A3601": f"甲{number}"}


def payloads(adapter: Adapter, path: Path) -> list[dict[str, Any]]:
    tried = list(rehearsed(adapter, path, ORGANIZATION))
    assert not [fault for each in tried for fault in each.faults]
    return [json.loads(event.event)["data"] for each in tried for event in each.events]


def packed(path: Path, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> Path:
    path.write_bytes(zipped(members({name: table(rows) for name, rows in tables.items()})))
    return path


class Kept:
    """A hub that accepts everything and keeps it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, events: Sequence[bytes]) -> list[Result]:
        self.events += map(json.loads, events)
        return [Result(None, None, "accepted", None, ()) for _ in events]


def test_a_large_locked_package_is_taken_over_whole_but_for_its_mistakes(tmp_path: Path) -> None:
    people = [person(n, A0107="1975" if n % 250 == 7 else "198002") for n in range(1_000)]
    rows = [family(n) for n in range(1_000)]
    path = tmp_path / "干部.7z"
    path.write_bytes(seven(members({"A01": table(people), "A36": table(rows)}), PASSWORD))
    more = f'[document]\npassword = "{PASSWORD}"\n'
    done = dry_run(with_key("organization.packages", tmp_path, more), path, ORGANIZATION)
    assert (done.read, done.refused, dict(done.types)) == (
        1_000,
        4,
        {"cadre.profile_provided": 996},
    )


def test_exported_again_only_those_are_sent_who_changed(tmp_path: Path) -> None:
    adapter, hub = with_key("organization.packages", tmp_path), Kept()
    with open_state(tmp_path / "state") as state:
        for changed in ("", "示范市样例局副局长"):
            people = [person(n) for n in range(5)]
            people[3] |= {"A0192A": changed} if changed else {}
            path = packed(tmp_path / "干部.zip", {"A01": people})
            run(adapter, path, agency=ORGANIZATION, hub=hub, state=state, now=lambda: 1.0)
    assert [event["data"]["profileid"] for event in hub.events[5:]] == ["P00003"]
    first, again = hub.events[3], hub.events[5]
    assert again["supersedes"] == first["id"]
    assert again["data"]["person"]["post"] == "示范市样例局副局长"


@pytest.mark.parametrize(
    ("code", "orgid"),
    [
        ("001.001.00A", "510100.001"),
        ("001.001.00A.003", "510100.001.003"),
        ("001.001.00AB", None),
        ("001.001", None),
        ("-1", None),
        ("", None),
    ],
)
def test_codes_below_the_packages_root_are_rebased_and_no_others(
    tmp_path: Path, code: str, orgid: str | None
) -> None:
    post = {"A0000": "P00001", "A0201A": "示范市样例局", "A0201B": code, "A0255": "1"}
    inside = members({"A01": table([person(1)]), "A02": table([post])})
    root = b'<root><node name="B0111" value="001.001.00A"/></root>'
    path = tmp_path / "干部.zip"
    path.write_bytes(zipped(inside | {"导出/gwyinfo.xml": root}))
    more = '[fields.local_root]\ndefault = "510100.001"\n'
    (payload,) = payloads(with_key("organization.packages", tmp_path, more), path)
    expected = {"name": "示范市样例局"} | ({"orgid": orgid} if orgid else {})
    assert payload["person"]["org"] == expected


def test_a_site_calls_things_otherwise(tmp_path: Path) -> None:
    one = person(1)
    one["A0198"] = one.pop("XGSJ")
    path = packed(tmp_path / "干部.zip", {"A01": [one]})
    more = '[columns]\nXGSJ = "A0198"\n"gwyinfo/time" = "gwyinfo/scsj"\n'
    (payload,) = payloads(with_key("organization.packages", tmp_path, more), path)
    assert payload["filled_on"] == "2026-01-15"


def test_one_person_has_one_key_in_forms_packages_and_rosters(tmp_path: Path) -> None:
    keys = set()
    for name, sample in (("forms", "lrmx"), ("packages", "hzb"), ("rosters", "workbook")):
        full = f"organization.{name}"
        (document,) = (available()[full] / "samples" / sample).glob("in.*")
        tried = rehearsed(with_key(full, tmp_path), document, ORGANIZATION)
        events = [json.loads(event.event) for each in tried for event in each.events]
        keys |= {
            event["data"]["person"]["personkey"]
            for event in events
            if event["data"]["person"]["name"] == "周试验"
        }
    assert len(keys) == 1


def test_a_refused_row_of_a_roster_is_put_right_in_the_workbook_that_comes_back(
    tmp_path: Path,
) -> None:
    sample = available()["organization.rosters"] / "samples" / "workbook" / "in.xlsx"
    path = tmp_path / "花名册.xlsx"
    book = load_workbook(sample)
    sheet = book["花名册"]
    sheet["D4"] = "1975.1"
    book.save(path)
    adapter, hub = with_key("organization.rosters", tmp_path), Kept()
    with open_state(tmp_path / "state") as state:
        done = run(adapter, path, agency=ORGANIZATION, hub=hub, state=state, now=lambda: 1.0)
        assert (done.accepted, done.rejected) == (3, 1)
        marked = load_workbook(tmp_path / "花名册.xlsx.errors.xlsx")
        assert "可能是 1 月" in str([cell.value for cell in marked["花名册"][4]])
        marked["花名册"]["D4"] = "1975.10"
        marked.save(tmp_path / "花名册.xlsx.errors.xlsx")
        again = run(
            adapter,
            tmp_path / "花名册.xlsx.errors.xlsx",
            agency=ORGANIZATION,
            hub=hub,
            state=state,
            now=lambda: 2.0,
        )
    assert (again.accepted, again.rejected) == (1, 0)
    assert hub.events[-1]["data"]["person"]["birth"] == "1975-10"


@cache
def keyed(name: str) -> Adapter:
    site = available()[name] / "samples" / SAMPLES[name] / "site.toml"
    return load(name, site)


@cache
def record_of(name: str) -> Record:
    (document,) = (available()[name] / "samples" / SAMPLES[name]).glob("in.*")
    with opened(document, document.name, keyed(name).mapping.wanted) as reader:
        return next(each for each in reader.read() if isinstance(each, Record))


SAMPLES = {
    "organization.forms": "lrmx",
    "organization.packages": "hzb",
    "organization.rosters": "workbook",
}
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text("0123456789.年月-—~至今；、（）优秀称职民建大学学士 \n<>br/", max_size=60),
)


@pytest.mark.parametrize("name", SAMPLES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_a_form_says_it_gives_a_profile_or_faults(name: str, data: st.DataObject) -> None:
    record = record_of(name)
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(record.columns)), TEXTS, max_size=4))
    parts = {
        group: [
            {
                column: data.draw(TEXTS) if data.draw(st.booleans()) else cell
                for column, cell in each.items()
            }
            for each in inner[:2]
        ]
        for group, inner in record.groups.items()
    }
    given_: FromRecord = make(
        keyed(name), replace(record, columns={**record.columns, **changed}, groups=parts)
    )
    assert bool(given_.events) != bool(given_.faults)
