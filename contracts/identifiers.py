"""Check digits of the national identifiers: GB 11643 (citizens), GB 32100 and GB 11714 (bodies).

A check answers None for a sound number and otherwise a stable word for what is wrong. Numbers are
taken in their canonical form: no spaces, no hyphens, upper case. Whether a place code exists is not
looked at: a number issued under a code since retired stays its holder's number.
"""

import re
from collections.abc import Iterable
from datetime import date
from operator import mul
from typing import Final, Literal

CitizenIdFault = Literal["length", "characters", "date", "check_digit"]
OrganisationCodeFault = Literal["length", "characters", "check_digit"]
UsccFault = Literal["length", "characters", "check_digit", "organisation_check_digit"]

_CITIZEN_ID: Final = re.compile(r"[0-9]{17}[0-9X]")
_CITIZEN_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECK: Final = "10X98765432"

_ORGANISATION_CODE: Final = re.compile(r"[0-9A-Z]{8}[0-9X]")
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECK: Final = "0123456789X"

# GB 32100 leaves out I, O, S, V and Z; a character's value is its place.
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC: Final = re.compile(f"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_USCC_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))


def citizen_id_fault(text: str, *, today: date) -> CitizenIdFault | None:
    """What is wrong with a GB 11643 number; a birth date after `today` is a fault of the date."""
    if len(text) != 18:
        return "length"
    if not _CITIZEN_ID.fullmatch(text):
        return "characters"
    born = _calendar_day(text[6:14])
    if born is None or born > today:
        return "date"
    return None if text[17] == _citizen_check(text) else "check_digit"


def citizen_id_with_check_digit(first17: str) -> str:
    """The 18 characters that the 17 digits begin. Raises ValueError for anything but 17 digits."""
    if not re.fullmatch(r"[0-9]{17}", first17):
        raise ValueError("a citizen number begins with 17 digits")
    return first17 + _citizen_check(first17)


def organisation_code_fault(text: str) -> OrganisationCodeFault | None:
    """What is wrong with a GB 11714 code: eight characters and a check digit, no hyphen."""
    if len(text) != 9:
        return "length"
    if not _ORGANISATION_CODE.fullmatch(text):
        return "characters"
    return None if text[8] == _organisation_check(text) else "check_digit"


def organisation_code_with_check_digit(first8: str) -> str:
    """The 9 characters that the 8 begin. Raises ValueError for anything but 8 of 0-9 A-Z."""
    if not re.fullmatch(r"[0-9A-Z]{8}", first8):
        raise ValueError("an organisation code begins with 8 characters of 0-9 A-Z")
    return first8 + _organisation_check(first8)


def uscc_fault(text: str) -> UsccFault | None:
    """What is wrong with a GB 32100 number, the organisation code inside it included."""
    if len(text) != 18:
        return "length"
    if not _USCC.fullmatch(text):
        return "characters"
    if text[17] != _uscc_check(text):
        return "check_digit"
    inner = organisation_code_fault(organisation_code_of(text))
    return "organisation_check_digit" if inner else None


def uscc_with_check_digit(first17: str) -> str:
    """The 18 characters that the 17 begin; the organisation code inside is taken as it is.

    Raises ValueError for anything but 17 characters in the places GB 32100 gives them.
    """
    if not _USCC.fullmatch(first17 + "0"):
        raise ValueError("a USCC begins with 17 characters, digits in places 3 to 8")
    return first17 + _uscc_check(first17)


def organisation_code_of(uscc: str) -> str:
    """The GB 11714 code in places 9 to 17 of an 18-character USCC; the number is not checked."""
    return uscc[8:17]


def _calendar_day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _citizen_check(text: str) -> str:
    return _CITIZEN_CHECK[_weigh(map(int, text[:17]), _CITIZEN_WEIGHTS) % 11]


def _organisation_check(text: str) -> str:
    total = _weigh((int(c, 36) for c in text[:8]), _ORGANISATION_WEIGHTS)
    return _ORGANISATION_CHECK[-total % 11]


def _uscc_check(text: str) -> str:
    total = _weigh(map(_USCC_ALPHABET.index, text[:17]), _USCC_WEIGHTS)
    return _USCC_ALPHABET[-total % 31]


def _weigh(values: Iterable[int], weights: tuple[int, ...]) -> int:
    return sum(map(mul, values, weights))
