import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agency import (
    KINDS,
    AddressError,
    AgencyId,
    AgencyIdError,
    DeskAddress,
    Directory,
    Reach,
    Relation,
    SourceError,
    parse_addresses,
    publisher_of,
    relation,
)
from contracts.region import Regions, UnknownRegion, load_regions

REGISTERED = (
    "000000.petition",
    "510000.petition",
    "510100.petition",
    "510100.petition.12345",
    "510104.petition",
    "510105.petition",
    "510304.petition",  # 自贡市 (510300) has none of its own
    "110105.petition",
    "429004.petition",
    "510100.discipline",
    "510100.discipline.at-finance",
    "510300.inspection-office.edu-dept",
)


@pytest.fixture(scope="module")
def regions() -> Regions:
    return load_regions()


@pytest.fixture(scope="module")
def directory(regions: Regions) -> Directory:
    return Directory.of(REGISTERED, regions)


def named(directory: Directory, text: str) -> set[str]:
    (address,) = parse_addresses(text)
    return set(directory.resolve(address))


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("510100.petition", AgencyId("510100", "petition")),
        ("510100.petition.12345", AgencyId("510100", "petition", "12345")),
        ("510100.discipline.at-finance", AgencyId("510100", "discipline", "at-finance")),
        ("510100.political-legal.court", AgencyId("510100", "political-legal", "court")),
        ("510100.inspection-team.14-11-04", AgencyId("510100", "inspection-team", "14-11-04")),
        ("000000.inspection-office.soe-a", AgencyId("000000", "inspection-office", "soe-a")),
        (f"510100.audit.{'a' * 40}", AgencyId("510100", "audit", "a" * 40)),
    ],
)
def test_an_agency_id_is_read_and_written_alike(text: str, agency: AgencyId) -> None:
    assert AgencyId.parse(text) == agency
    assert str(agency) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "510100",
        "510100.",
        "510100.petition.",
        "510100.petition.a.b",
        "510100.petition.A",
        "510100.petition.信访",
        f"510100.petition.{'a' * 41}",
        "510100.unheard-of",
        "510100.Petition",
        "51010.petition",
        "5101000.petition",
        "５１０１００.petition",
        " 510100.petition",
        "510100.petition\n",
        "510100.petition/*",
    ],
)
def test_what_is_no_agency_id_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(AgencyIdError) as refused:
        AgencyId.parse(text)
    assert str(refused.value) == "an agency id is <region>.<kind>[.<unit>], with a listed kind"


def test_the_front_desk_of_a_unit_is_its_kind_in_the_region() -> None:
    assert AgencyId.parse("510100.petition.12345").front_desk == AgencyId("510100", "petition")
    assert AgencyId.parse("510100.petition").front_desk == AgencyId("510100", "petition")


def test_every_kind_but_the_public_and_media_has_agencies_of_its_own() -> None:
    assert len(KINDS) == 19
    assert [code for code, kind in KINDS.items() if code != kind.code] == []
    assert [code for code, kind in KINDS.items() if not kind.own_agency] == ["public", "media"]
    assert (KINDS["petition"].name, KINDS["petition"].name_en) == ("信访部门", "petition office")


def test_addresses_are_read_in_order_and_each_once() -> None:
    text = "510100.audit petition@510100  petition@510000/* 510100.audit petition@000000/**"
    assert parse_addresses(text) == (
        AgencyId("510100", "audit"),
        DeskAddress("petition", "510100", Reach.HERE),
        DeskAddress("petition", "510000", Reach.NEXT),
        DeskAddress("petition", "000000", Reach.ALL),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "510100.audit\tpetition@510100",
        "510100.audit,petition@510100",
        "petition@510100/",
        "petition@510100/***",
        "petition@510100.12345",
        "510100.petition/*",
        "*@510100",
        "petition@*",
        "petition@51010",
        "unheard-of@510100",
        "510100.audit nobody",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(AddressError) as refused:
        parse_addresses(text)
    assert str(refused.value) == (
        "addresses are 1 to 100, separated by spaces: an agency id, "
        "<kind>@<region>, <kind>@<region>/* or <kind>@<region>/**"
    )


def test_a_hundred_addresses_are_taken_and_one_more_is_not() -> None:
    hundred = [f"510100.audit.unit-{number}" for number in range(100)]
    assert len(parse_addresses(" ".join(hundred))) == 100
    with pytest.raises(AddressError):
        parse_addresses(" ".join([*hundred, "510100.audit"]))


def test_an_agency_id_names_itself_if_registered(directory: Directory) -> None:
    assert named(directory, "510100.petition.12345") == {"510100.petition.12345"}
    assert named(directory, "510100.petition") == {"510100.petition"}
    assert named(directory, "510100.petition.54321") == set()


def test_a_kind_at_a_region_names_the_front_desk_and_no_unit(directory: Directory) -> None:
    assert named(directory, "petition@510100") == {"510100.petition"}
    assert named(directory, "discipline@510100") == {"510100.discipline"}
    assert named(directory, "inspection-office@510300") == set()
    assert named(directory, "petition@510300") == set()


def test_a_star_names_the_nearest_desk_of_each_branch(directory: Directory) -> None:
    assert named(directory, "petition@510000/*") == {"510100.petition", "510304.petition"}
    assert named(directory, "petition@510100/*") == {"510104.petition", "510105.petition"}
    assert named(directory, "petition@510300/*") == {"510304.petition"}
    assert named(directory, "petition@000000/*") == {
        "510000.petition",
        "110105.petition",
        "429004.petition",
    }


def test_a_star_asks_for_desks_of_its_own_kind_only(directory: Directory) -> None:
    assert named(directory, "discipline@000000/*") == {"510100.discipline"}
    assert named(directory, "inspection-office@000000/*") == set()


def test_two_stars_name_every_desk_strictly_below(directory: Directory) -> None:
    assert named(directory, "petition@510000/**") == {
        "510100.petition",
        "510104.petition",
        "510105.petition",
        "510304.petition",
    }
    assert named(directory, "petition@510104/**") == set()
    assert named(directory, "petition@000000/**") == {
        text for text in REGISTERED if text.endswith(".petition")
    } - {"000000.petition"}


def test_an_address_in_an_unknown_region_names_nobody(directory: Directory) -> None:
    assert named(directory, "petition@999999/**") == set()


def test_a_directory_refuses_an_agency_in_an_unknown_region(regions: Regions) -> None:
    with pytest.raises(UnknownRegion):
        Directory.of(["999999.petition"], regions)


@given(st.sets(st.sampled_from([text for text in REGISTERED if text.endswith(".petition")])))
def test_what_a_star_names_two_stars_name_too_and_reach_the_rest(ids: set[str]) -> None:
    directory = Directory.of(ids, load_regions())
    nearest = named(directory, "petition@000000/*")
    beyond = {text for desk in nearest for text in named(directory, f"petition@{desk[:6]}/**")}
    assert nearest.isdisjoint(beyond)
    assert nearest | beyond == named(directory, "petition@000000/**")


@given(
    region=st.from_regex(r"[0-9]{6}", fullmatch=True),
    kind=st.sampled_from(sorted(KINDS)),
    unit=st.none() | st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    reach=st.sampled_from(Reach),
)
def test_every_id_and_address_survives_being_written(
    region: str, kind: str, unit: str | None, reach: Reach
) -> None:
    agency = AgencyId(region, kind, unit)
    desk = DeskAddress(kind, region, reach)
    assert AgencyId.parse(str(agency)) == agency
    assert publisher_of(f"/{agency}") == agency
    assert parse_addresses(f"{agency} {desk}") == (agency, desk)


@pytest.mark.parametrize(
    ("receiver", "publisher", "stands"),
    [
        ("510100", "510100", "same"),
        ("510000", "510100", "up"),
        ("000000", "510104", "up"),
        ("510104", "510100", "down"),
        ("510104", "000000", "down"),
        ("110105", "110000", "down"),
        ("510100", "510300", None),
        ("510000", "500103", None),
        ("999999", "999999", None),
        ("000000", "999999", None),
        ("999999", "000000", None),
    ],
)
def test_the_receiver_stands_level_above_below_or_apart(
    regions: Regions, receiver: str, publisher: str, stands: Relation | None
) -> None:
    assert relation(receiver, publisher, regions=regions) == stands


@pytest.mark.parametrize(
    ("source", "agency"),
    [
        ("/510100.petition", "510100.petition"),
        ("/510100.petition/xf_2.0", "510100.petition"),
        ("/510100.petition.12345/A/b/c/d", "510100.petition.12345"),
        ("/510100.petition/12345", "510100.petition"),
        (f"/510100.petition/{'s' * 64}", "510100.petition"),
        ("/510100.petition/...", "510100.petition"),
    ],
)
def test_a_source_begins_with_its_publisher(source: str, agency: str) -> None:
    assert publisher_of(source) == AgencyId.parse(agency)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/",
        "510100.petition",
        "//510100.petition",
        "/510100.petition/",
        "/510100.petition//xf",
        "/510100.petition/a/b/c/d/e",
        f"/510100.petition/{'s' * 65}",
        "/510100.petition/" + "/".join(["s" * 60] * 4),
        "/510100.petition/信访",
        "/510100.petition/a%2Fb",
        "/510100.petition/xf?x=1",
        "/510100.petition/..",
        "/510100.petition/../510200.petition",
        "/510100.petition/./xf",
        "/510100.petition/xf\n",
        "/510100.petition-other",
        "https://example.org/510100.petition",
    ],
)
def test_what_is_no_source_is_refused_without_being_repeated(source: str) -> None:
    with pytest.raises(SourceError) as refused:
        publisher_of(source)
    assert str(refused.value) == (
        "a source is /<agency id>[/<system>…] with at most four systems, 256 characters in all"
    )


def test_a_source_of_exactly_the_longest_length_is_taken() -> None:
    systems = ["s" * 64, "s" * 64, "s" * 64]
    start = f"/510100.petition/{'/'.join(systems)}/"
    assert publisher_of(start + "s" * (256 - len(start))) == AgencyId("510100", "petition")
    with pytest.raises(SourceError):
        publisher_of(start + "s" * (257 - len(start)))
