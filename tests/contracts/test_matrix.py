"""Who says and hears what, against the field's own table, written out here a second time.

Columns: DW committee and leading group, XB office, XZ team, SJ and XJ the offices above and below,
JW discipline, ZZ organization, SJJ audit, XF petition, XC publicity, ZF political-legal,
CZ finance, TJ statistics, FD other departments, RD congress, ZX consultative conference,
BX inspected party.
P publishes, S receives, B both, m receives a summary; `m*` a summary of replies alone; `!` is never
to receive. The public and the media have no agency, so they have no column.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from contracts.catalogue import load_catalogue
from contracts.contract import Contract

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "DW": ("party-committee", "leading-group"),
    "XB": ("inspection-office",),
    "XZ": ("inspection-team",),
    "JW": ("discipline",),
    "ZZ": ("organization",),
    "SJJ": ("audit",),
    "XF": ("petition",),
    "XC": ("publicity",),
    "ZF": ("political-legal",),
    "CZ": ("finance",),
    "TJ": ("statistics",),
    "FD": ("functional-dept",),
    "RD": ("congress",),
    "ZX": ("cppcc",),
    "BX": ("inspected-party",),
}
LEVELS: Final = {"SJ": "up", "XJ": "down"}
TABLE: Final = """
| DW XB XZ SJ XJ JW ZZ SJJ XF XC ZF CZ TJ FD RD ZX BX
plan coverage                            | B B S B P m m m · · · · · · · · ·
directive guidance regulation commonissue| B B S P S m m m m m m m m m · · m
jointtask                                | B B S B B m m m · · · · · · · · ·
filing report                            | S P P S P · · · · · · · · · · · ·
decision                                 | P S · · S S S · · · · · · · · · ·
consultation policy support              | S B B B B B B B B B B B B B · · ·
secondment recusal                       | S B B B B B B B B B B B B B · · ·
briefing                                 | · B S · · B B B B B B B B B P P ·
cadre.profile_provided cadre.issue_      | S B m · · m B · · · · · · · · · ·
cadre.opinion_                           | · S · · · S P S S · S S S S · · ·
inspection progress issue                | B B P B B m m m · · · · · · · · m
issue.immediate_                         | · S B · · S S · · · · · · · · · B
tip                                      | · B P · · S · · m · · · · · · · ·
clue                                     | m B P m m B m P P m B P P P · · !
petition                                 | m B B m m B · · B · B · · B m m m*
audit                                    | m B S m m B S B · · · S · m S m B
finance statistics                       | m S S S P m · S · · · B B m S S ·
publicopinion media                      | S B S S P S · · S B S · · m · · ·
legal                                    | m S · · · B m · m · B · · · m · ·
congress cppcc                           | S S · · · · · m · · · · · · P P ·
feedback                                 | S P P S P S S m m m m m m m · · B
recommendation sector                    | S B · S P · S B B B B B B B m m m
rectification                            | S B m B B B B B P P P P P B m m B
disclosure                               | S B · S S S S · · B · · · · S S P
result assessment                        | B P · S B S B S S S S S S S S S m
accountability                           | B P · B B B S · · · · · · · · · S
dataset                                  | S B S B B B B B B B B B B B B B ·
rollup                                   | S B · S P S S S S · · · S · m m ·
"""
PUBLISH: Final = ("P", "B")
MEASURES: Final = {"S": "full", "B": "full", "m": "masked"}

Hearing = tuple[str, str, str]
HEAD, *LINES = (line.partition("|") for line in TABLE.strip().splitlines())
ROWS: Final = {
    name.strip(): dict(zip(HEAD[2].split(), cells.split(), strict=True)) for name, _, cells in LINES
}
each_row = pytest.mark.parametrize("name", ROWS)


def row_of(type_: str) -> str | None:
    """The row of a type: the longest of its words that the type begins with."""
    fitting = [
        (len(word), name)
        for name in ROWS
        for word in name.split()
        if type_ == word or type_.startswith(word if word.endswith("_") else f"{word}.")
    ]
    return max(fitting)[1] if fitting else None


def contracts_in(name: str) -> list[Contract]:
    return [contract for contract in load_catalogue() if row_of(contract.type) == name]


def openings_in(name: str) -> list[Contract]:
    return [c for c in contracts_in(name) if not c.answers or c.unasked]


def heard_in(contract: Contract) -> set[Hearing]:
    return {
        (kind, relation, measure)
        for kind, cells in contract.receivers.items()
        for relation, measure in cells.items()
        # Teams sent down to guide are in the work that they are sent for; the table knows none. And
        # what only an address can reach is less than the table gives.
        if kind != "guidance-team" and relation != "to"
    }


def told_by(cells: Mapping[str, str]) -> set[Hearing]:
    same = {
        (kind, "same", MEASURES[cells[column]])
        for column, kinds in KINDS.items()
        for kind in kinds
        if cells[column] in MEASURES
    }
    return same | {
        ("inspection-office", relation, MEASURES[cells[column]])
        for column, relation in LEVELS.items()
        if cells[column] in MEASURES
    }


def publishing(cells: Mapping[str, str]) -> set[str]:
    at_their_level = {k for c, kinds in KINDS.items() for k in kinds if cells[c] in PUBLISH}
    offices = {"inspection-office" for column in LEVELS if cells[column] in PUBLISH}
    return at_their_level | offices


@each_row
def test_the_openings_of_a_row_together_reach_whom_the_table_says(name: str) -> None:
    heard = {hearing for contract in openings_in(name) for hearing in heard_in(contract)}
    assert heard == told_by(ROWS[name])


@each_row
def test_a_reply_tells_nobody_more_than_the_table_says(name: str) -> None:
    allowed = told_by(ROWS[name])
    allowed |= {
        (kind, "same", "masked")
        for column, kinds in KINDS.items()
        for kind in kinds
        if ROWS[name][column] == "m*"
    }
    for contract in contracts_in(name):
        assert heard_in(contract) <= allowed, contract.name


@each_row
def test_whoever_the_table_lets_publish_can_and_nobody_else_opens(name: str) -> None:
    catalogue = load_catalogue()
    publish = publishing(ROWS[name])
    opening = {kind for contract in openings_in(name) for kind in contract.publishers}
    answering = {kind for contract in contracts_in(name) for kind in catalogue.senders(contract)}
    assert opening - {"guidance-team"} <= publish
    assert publish <= opening | answering


@each_row
@pytest.mark.parametrize(("column", "way"), [("SJ", "down"), ("XJ", "up")])
def test_an_office_that_publishes_to_another_level_may_address_it(
    name: str, column: str, way: str
) -> None:
    if ROWS[name][column] in PUBLISH:
        senders = load_catalogue().senders
        assert any(way in c.ways and "inspection-office" in senders(c) for c in contracts_in(name))


def test_a_summary_of_replies_alone_comes_with_no_opening() -> None:
    (name,) = (name for name, cells in ROWS.items() if cells["BX"] == "m*")
    assert all("inspected-party" not in c.receivers for c in openings_in(name))
    replies = [c for c in contracts_in(name) if "inspected-party" in c.receivers]
    assert replies
    assert all(c.receivers["inspected-party"] == {"same": "masked"} for c in replies)


def test_the_inspected_party_never_receives_clues() -> None:
    (name,) = (name for name, cells in ROWS.items() if cells["BX"] == "!")
    assert contracts_in(name)
    assert all("inspected-party" in contract.denied for contract in contracts_in(name))


def test_what_accuses_somebody_never_goes_to_an_inspected_party() -> None:
    for contract in load_catalogue():
        if contract.accuses or contract.accused_persons:
            assert "inspected-party" not in contract.receivers, contract.name


def test_an_exchange_is_about_an_event_and_goes_to_those_whom_it_addresses() -> None:
    exchanges = [contract for contract in load_catalogue() if contract.family == "exchange"]
    openings = [contract for contract in exchanges if not contract.answers]
    assert openings
    for contract in openings:
        assert contract.about is not None, contract.name
        assert {r for cells in contract.receivers.values() for r in cells} == {"to"}
    for contract in exchanges:
        assert set(contract.answers) <= {opening.type for opening in openings}
