from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identifiers import (
    citizen_id_fault,
    citizen_id_with_check_digit,
    organisation_code_fault,
    organisation_code_of,
    organisation_code_with_check_digit,
    uscc_fault,
    uscc_with_check_digit,
)

TODAY = date(2026, 11, 22)
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def citizen_fault(text: str) -> str | None:
    return citizen_id_fault(text, today=TODAY)


def test_the_example_of_the_citizen_standard_passes() -> None:
    # The place code of GB 11643's own example has long been retired; that is no fault.
    assert citizen_fault("11010519491231002X") is None
    assert citizen_fault("440524188001010014") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "length"),
        ("11010519491231002", "length"),
        ("11010519491231002X\n", "length"),
        ("110105491231002", "length"),
        ("11010519491231002x", "characters"),
        ("1101051949123100 X", "characters"),
        ("1101051949123100２X", "characters"),
        ("X1010519491231002X", "characters"),
        ("110105194912310021", "check_digit"),
        ("11010519491231003X", "check_digit"),
    ],
)
def test_a_wrong_citizen_number_gets_the_word_for_its_fault(text: str, fault: str) -> None:
    assert citizen_fault(text) == fault


@pytest.mark.parametrize("day", ["20230229", "19991301", "19990431", "19990100", "00000101"])
def test_a_day_that_is_in_no_calendar_is_a_fault_of_the_date(day: str) -> None:
    assert citizen_fault(citizen_id_with_check_digit(f"510104{day}001")) == "date"


def test_a_leap_day_is_a_day() -> None:
    assert citizen_fault(citizen_id_with_check_digit("51010420240229001")) is None


def test_nobody_is_born_after_today() -> None:
    assert citizen_fault(citizen_id_with_check_digit("51010420261122001")) is None
    assert citizen_fault(citizen_id_with_check_digit("51010420261123001")) == "date"


@given(
    place=st.from_regex(r"[0-9]{6}", fullmatch=True),
    born=st.dates(min_value=date(1, 1, 1), max_value=TODAY),
    order=st.from_regex(r"[0-9]{3}", fullmatch=True),
)
def test_a_made_citizen_number_passes_and_any_one_digit_changed_fails(
    place: str, born: date, order: str
) -> None:
    first17 = f"{place}{born.year:04}{born:%m%d}{order}"
    number = citizen_id_with_check_digit(first17)
    assert (number[:17], citizen_fault(number)) == (first17, None)
    for at in range(6):
        other = str((int(number[at]) + 1) % 10)
        assert citizen_fault(number[:at] + other + number[at + 1 :]) == "check_digit"


@pytest.mark.parametrize("first17", ["", "1101051949123100", "1101051949123100X", "１" * 17])
def test_only_seventeen_digits_begin_a_citizen_number(first17: str) -> None:
    with pytest.raises(ValueError, match="17 digits"):
        citizen_id_with_check_digit(first17)


def test_organisation_codes_with_all_three_sorts_of_check_digit_pass() -> None:
    made = [organisation_code_with_check_digit(first8) for first8 in ("D2143569", "00000000")]
    assert made == ["D2143569X", "000000000"]
    assert [organisation_code_fault(code) for code in made] == [None, None]
    assert organisation_code_fault("M000100Y4") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("D2143569", "length"),
        ("D2143569-X", "length"),
        ("d2143569X", "characters"),
        ("D2143569Y", "characters"),
        ("D21435690", "check_digit"),
    ],
)
def test_a_wrong_organisation_code_gets_the_word_for_its_fault(text: str, fault: str) -> None:
    assert organisation_code_fault(text) == fault


@pytest.mark.parametrize("first8", ["", "D214356", "D21435699", "d2143569", "D214356-"])
def test_only_eight_characters_begin_an_organisation_code(first8: str) -> None:
    with pytest.raises(ValueError, match="8 characters"):
        organisation_code_with_check_digit(first8)


def test_a_sound_uscc_passes_and_holds_its_organisation_code() -> None:
    assert uscc_fault("91350100M000100Y43") is None
    assert organisation_code_of("91350100M000100Y43") == "M000100Y4"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "length"),
        ("91350100M000100Y4", "length"),
        ("91350100m000100y43", "characters"),
        ("91350100I000100Y43", "characters"),
        ("91350100O000100Y43", "characters"),
        ("91350100S000100Y43", "characters"),
        ("91350100V000100Y43", "characters"),
        ("91350100Z000100Y43", "characters"),
        ("9135010AM000100Y43", "characters"),
        ("91350100M000100Y44", "check_digit"),
        ("91350100M000010Y43", "check_digit"),
    ],
)
def test_a_wrong_uscc_gets_the_word_for_its_fault(text: str, fault: str) -> None:
    assert uscc_fault(text) == fault


def test_a_uscc_around_a_wrong_organisation_code_says_so() -> None:
    number = uscc_with_check_digit("91350100M000100Y5")
    assert uscc_fault(number) == "organisation_check_digit"


@given(
    head=st.text(USCC_ALPHABET, min_size=2, max_size=2),
    place=st.from_regex(r"[0-9]{6}", fullmatch=True),
    body=st.text(USCC_ALPHABET, min_size=8, max_size=8),
)
def test_a_made_uscc_passes_and_any_one_character_changed_fails(
    head: str, place: str, body: str
) -> None:
    inner = organisation_code_with_check_digit(body)
    number = uscc_with_check_digit(head + place + inner)
    assert (uscc_fault(number), organisation_code_of(number)) == (None, inner)
    for at in (0, 1, 8, 15, 17):
        other = USCC_ALPHABET[(USCC_ALPHABET.index(number[at]) + 1) % 31]
        assert uscc_fault(number[:at] + other + number[at + 1 :]) == "check_digit"


@pytest.mark.parametrize("first17", ["", "91350100M000100Y", "9135010AM000100Y4", "S" * 17])
def test_only_seventeen_characters_in_their_places_begin_a_uscc(first17: str) -> None:
    with pytest.raises(ValueError, match="17 characters"):
        uscc_with_check_digit(first17)
