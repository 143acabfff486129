"""A valid policy may still be odd: each finding says where, what and what to do about it."""

from typing import Any, Final

import pytest

from tests.running import RunningHub
from tests.sample import AUDIT, CITY, COUNTY, DISCIPLINE, PETITION, PROVINCE, agency, grant
from tests.spec.rehearsing import Document, changed, rehearsed, with_added, without_none

FINANCE: Final = "510100.finance"
POLITICAL: Final = "510100.political-legal"
LONG_AGO, AHEAD = "2020-01-01", "2099-01-01"
OPEN: Final = ["F0", "F1"]
ALL: Final = ["F0", "F1", "F2", "F3", "F4"]


def receives(agency_id: str, id_: str, **more: Any) -> Document:
    """A grant to receive petitions that nothing can be said against."""
    given = {"classes": OPEN, "until": AHEAD, **more}
    return grant(agency_id, "receive", given.pop("types", "petition.*"), id=id_, **given)


SOUND: Final[Document] = {
    "agencies": [
        agency(PETITION, "示范市信访局"),
        agency(CITY, "示范市委巡察办"),
        agency(DISCIPLINE, "示范市纪委监委"),
        agency("510100.inspected-party.bureau-a", "示范市某服务局"),
    ],
    "grants": [
        grant(PETITION, "publish", "petition.*", id="publishes"),
        receives(CITY, "office", classes=ALL),
        receives(DISCIPLINE, "discipline", classes=ALL),
    ],
    "recusals": [
        {"id": "withdrawn", "agency": CITY, "case": "petition:XF-1", "reason": "回避"},
    ],
    "rounds": [{"id": "over", "name": "上一轮", "until": LONG_AGO}, {"id": "open", "name": "本轮"}],
}
ENDED: Final = {"valid_until": LONG_AGO}


def kind_grant(kind: str, id_: str, **more: Any) -> Document:
    given = receives(f"510100.{kind}", id_, kind=kind, **more)
    del given["agency"]
    return given


def with_grant(grant_: Document, *agencies: Document) -> Document:
    return with_added(with_added(SOUND, "agencies", *agencies), "grants", grant_)


def with_recusal(agency_id: str, case: str, *agencies: Document, **more: Any) -> Document:
    record = {"id": "new", "agency": agency_id, "case": case, "reason": "回避", **more}
    return with_added(with_added(SOUND, "agencies", *agencies), "recusals", record)


Found = list[tuple[str, str, str]]
ODD: Final[dict[str, tuple[Document, Found]]] = {
    "nothing odd": (SOUND, []),
    "a grant that is over": (
        with_grant(receives(CITY, "new", until=LONG_AGO)),
        [("grant_over", "/grants/3", "new")],
    ),
    "a grant whose round is over": (
        with_grant(receives(CITY, "new", round="over", classes=ALL)),
        [("grant_round_over", "/grants/3", "new")],
    ),
    "a grant that never meets its round": (
        with_added(
            with_grant(receives(CITY, "new", round="next", until="2098-01-01")),
            "rounds",
            {"id": "next", "name": "下一轮", "from": "2098-06-01"},
        ),
        [("grant_never_in_force", "/grants/3", "new")],
    ),
    "a grant for an agency that has ended": (
        with_grant(receives(AUDIT, "new"), agency(AUDIT, "审计局", **ENDED)),
        [("grant_without_subject", "/grants/3", "new")],
    ),
    "a grant for a kind that nobody is": (
        with_grant(kind_grant("congress", "new")),
        [("grant_without_subject", "/grants/3", "new")],
    ),
    "a grant for a kind that somebody acts as": (
        with_grant(kind_grant("congress", "new"), agency(FINANCE, "局", acts_as=["congress"])),
        [],
    ),
    "a grant of what the contracts do not give its kind": (
        with_grant(
            receives(FINANCE, "new", types="petition.case_transferred filing.submitted"),
            agency(FINANCE, "财政局"),
        ),
        [("grant_outside_matrix", "/grants/3", "new")],
    ),
    "a grant to publish what its kind does not": (
        with_grant(grant(DISCIPLINE, "publish", "petition.case_transferred", id="new")),
        [("grant_outside_matrix", "/grants/3", "new")],
    ),
    "a grant of replies that nobody sends": (
        with_grant(receives(FINANCE, "new", types="clue.received"), agency(FINANCE, "财政局")),
        [("grant_without_supply", "/grants/3", "new")],
    ),
    "a grant of replies that may come": (
        with_added(
            with_grant(receives(FINANCE, "new", types="clue.received"), agency(FINANCE, "财政局")),
            "grants",
            grant(DISCIPLINE, "publish", "clue.*", id="answers"),
        ),
        [],
    ),
    "a grant where nobody publishes": (
        with_grant(receives(CITY, "new", region="520000")),
        [("grant_without_supply", "/grants/3", "new")],
    ),
    "a grant where somebody publishes for a region below": (
        with_grant(receives(PROVINCE, "new"), agency(PROVINCE, "示范省委巡视办")),
        [],
    ),
    "grants that an address alone can reach": (
        changed(SOUND, "grants", "publishes", region="520000"),
        [],
    ),
    "a grant far away, where somebody publishes": (
        with_added(
            changed(SOUND, "grants", "publishes", region="520100"),
            "grants",
            receives(CITY, "new", region="520000", classes=ALL),
        ),
        [],
    ),
    "a grant for a system that nobody is in": (
        with_grant(receives(CITY, "new", region="system:tax@510100")),
        [("grant_without_supply", "/grants/3", "new")],
    ),
    "a grant to publish in another system": (
        with_grant(grant(PETITION, "publish", "petition.*", id="new", region="system:tax@510100")),
        [("grant_of_other_system", "/grants/3", "new")],
    ),
    "an agency without a grant": (
        with_added(SOUND, "agencies", agency(COUNTY, "示范市东湖区委巡察办")),
        [("agency_without_grant", "/agencies/4", COUNTY)],
    ),
    "an agency whose only grant is over": (
        with_grant(receives(COUNTY, "new", until=LONG_AGO), agency(COUNTY, "东湖区委巡察办")),
        [
            ("agency_without_grant", "/agencies/4", COUNTY),
            ("grant_over", "/grants/3", "new"),
        ],
    ),
    "an agency that has ended without a grant": (
        with_added(SOUND, "agencies", agency(COUNTY, "东湖区委巡察办", **ENDED)),
        [],
    ),
    "an agency that reports to one that has ended": (
        with_added(
            changed(SOUND, "agencies", CITY, reports_to=PROVINCE),
            "agencies",
            agency(PROVINCE, "示范省委巡视办", **ENDED),
        ),
        [("agency_superior_gone", "/agencies/1/reports_to", CITY)],
    ),
    "an agency none of whose successors is left": (
        with_added(
            SOUND,
            "agencies",
            agency(COUNTY, "东湖区委巡察办", successor=AUDIT, **ENDED),
            agency(AUDIT, "审计局", successor=FINANCE, **ENDED),
            agency(FINANCE, "财政局", **ENDED),
        ),
        [
            ("agency_successor_gone", "/agencies/4/successor", COUNTY),
            ("agency_successor_gone", "/agencies/5/successor", AUDIT),
        ],
    ),
    "an agency whose successor's successor stands for it": (
        with_added(
            SOUND,
            "agencies",
            agency(COUNTY, "东湖区委巡察办", successor=AUDIT, **ENDED),
            agency(AUDIT, "审计局", successor=CITY, **ENDED),
        ),
        [],
    ),
    "personal data without end": (
        changed(SOUND, "grants", "office", until=None),
        [("grant_without_end", "/grants/1", "office")],
    ),
    "personal data in a round without end": (
        changed(SOUND, "grants", "office", until=None, round="open"),
        [("grant_without_end", "/grants/1", "office")],
    ),
    "open fields without end": (changed(SOUND, "grants", "office", until=None, classes=OPEN), []),
    "sources shown to others than their custodians": (
        with_grant(receives(POLITICAL, "new", types="*", classes=ALL), agency(POLITICAL, "政法委")),
        [("grant_beyond_custodians", "/grants/3/classes", "new")],
    ),
    "sources shown to a kind that is no custodian": (
        with_grant(kind_grant("political-legal", "new", classes=ALL), agency(POLITICAL, "政法委")),
        [("grant_beyond_custodians", "/grants/3/classes", "new")],
    ),
    "sources of what one never gets": (
        with_grant(
            receives(
                FINANCE, "new", types="petition.case_transferred briefing.provided", classes=ALL
            ),
            agency(FINANCE, "财政局"),
        ),
        [("grant_without_supply", "/grants/3", "new")],
    ),
    "a grant within another": (
        with_grant(
            receives(CITY, "new", types="petition.case_transferred", region="510104", levels=["up"])
        ),
        [("grant_contained", "/grants/3", "new")],
    ),
    "the same grant twice": (
        with_grant(receives(CITY, "new", classes=ALL)),
        [("grant_contained", "/grants/3", "new")],
    ),
    "a grant within a later one": (
        with_grant(receives(CITY, "new", types="petition.* clue.*", classes=ALL)),
        [("grant_contained", "/grants/1", "office")],
    ),
    "a grant that lasts longer than the other": (
        with_grant(receives(CITY, "new", until="2099-01-02")),
        [],
    ),
    "a grant that begins later than the other": (
        with_grant(
            receives(CITY, "new", classes=ALL, until="2100-01-01", **{"from": "2090-01-01"})
        ),
        [],
    ),
    "a grant for fewer levels than the other": (
        with_grant(receives(CITY, "new", classes=ALL, until="2100-01-01", levels=["same"])),
        [],
    ),
    "a grant beside another in its round": (
        with_grant(receives(DISCIPLINE, "new", classes=ALL, round="open", until="2100-01-01")),
        [],
    ),
    "a recusal that is over": (
        with_recusal(CITY, "petition:XF-2", until=LONG_AGO),
        [("recusal_over", "/recusals/1", "new")],
    ),
    "a recusal of an agency that has ended": (
        with_recusal(COUNTY, "petition:XF-2", agency(COUNTY, "东湖区委巡察办", **ENDED)),
        [("recusal_agency_gone", "/recusals/1/agency", "new")],
    ),
    "a recusal from cases that the agency never gets": (
        with_recusal(CITY, "clue:XS-2"),
        [("recusal_without_effect", "/recusals/1/case", "new")],
    ),
}


@pytest.mark.parametrize("what", sorted(ODD))
def test_a_dry_run_tells_of(hub: RunningHub, what: str) -> None:
    document, expected = ODD[what]
    told = rehearsed(hub, without_none(document))["lint"]
    assert [(f["code"], f["pointer"], f["id"]) for f in told] == expected


def test_a_finding_says_what_is_odd_and_what_to_do_in_both_languages(hub: RunningHub) -> None:
    document = with_grant(
        receives(POLITICAL, "new", types="*", classes=ALL), agency(POLITICAL, "政法委")
    )
    protected = (
        "clue.concluded",
        "clue.reassigned",
        "clue.supplemented",
        "clue.transferred",
        "petition.case_transferred",
        "tip.acknowledged",
        "tip.answered",
    )
    assert rehearsed(hub, document)["lint"] == [
        {
            "code": "grant_beyond_custodians",
            "pointer": "/grants/3/classes",
            "id": "new",
            "message": f"信源保护字段（F4）授予了保管方以外的对象：{'、'.join(protected)}",
            "message_en": "source-protected fields (F4) are granted to others than their"
            f" custodians: {', '.join(protected)}",
            "advice": "请从 classes 中去掉 F4，或只授予契约所列保管方（custodians）",
            "advice_en": "take F4 out of classes, or grant it to the custodians that the contract"
            " lists",
        }
    ]


def test_findings_end_after_a_thousand(hub: RunningHub) -> None:
    over = [receives(CITY, f"over-{n}", until=LONG_AGO) for n in range(1_001)]
    told = rehearsed(hub, with_added(SOUND, "grants", *over))["lint"]
    assert [f["code"] for f in told] == ["grant_over"] * 1_000 + ["more_findings"]
