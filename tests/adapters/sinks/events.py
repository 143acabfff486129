"""Synthetic events as a subscription gives them."""

from typing import Any

Event = dict[str, Any]

FORMULA = "=HYPERLINK(1)"
HOSTILE = (
    FORMULA,
    "+1",
    "-1+1",
    "@SUM(A1)",
    "<script>alert(1)</script>&amp;\"'",
    "示例\x00\x1b[31m\ud800\uffff",
    "_x0041_",
    "长" * 32_768,
    "一行\r\n又一行\t末",
    "../../etc/passwd",
)


def event(number: int, type_: str, data: Event, **attributes: str) -> Event:
    """The event at position `0-<number>`."""
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/510100.inspection-office",
        "type": type_,
        "time": "2026-05-21T01:40:00Z",
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "hubreceipt": f"{number:032x}",
        "hubtime": "2026-05-21T01:40:01.000000Z",
        "hubposition": f"0-{number}",
        "data": data,
        **attributes,
    }


def transferred(number: int, clue: str, title: str = "示例线索", **data: Any) -> Event:
    """A clue is handed over; who reported is withheld, as always."""
    members = {
        "clueid": clue,
        "title": title,
        "source": {"code": "inspection", "label": "巡视巡察中发现"},
        "subjects": [
            {"subject_no": 1, "person": {"name": "周试验"}, "authority": "city"},
            {"subject_no": 2, "org": {"name": "示例市样板局"}, "authority": "city"},
        ],
        "amount": {"amount": "186.5", "unit": "万元", "currency": "CNY"},
        "period_from": "2023-03-01",
        "urgency": "normal",
        "basis": [{"title": "示例底稿", "docno": "示例〔2026〕1号", "pages": 6}],
        "handover": {
            "form": f"交接单 {clue}",
            "from": [{"name": "郑样例"}, {"name": "王试点"}],
            "at": "2026-05-21T09:40:00+08:00",
        },
        **data,
    }
    return event(number, "clue.transferred", members, hubwithheld="/reporter")


def received(number: int, clue: str) -> Event:
    members = {
        "clueid": clue,
        "receiver": [{"name": "李示例"}, {"name": "赵样板"}],
        "received_at": "2026-05-22T08:00:00Z",
        "register_no": f"登-{clue}",
    }
    return event(number, "clue.received", members, causationid=f"{1:032x}")


def corrected(number: int, clue: str, title: str) -> Event:
    """The clue again, with another title and without an amount."""
    again = transferred(number, clue, title)
    del again["data"]["amount"]
    return {**again, "supersedes": "e1"}


def course() -> list[Event]:
    """What a subscription gives in the course of some days."""
    return [
        transferred(1, "示-001"),
        transferred(2, "示-002", period_from=None),
        event(3, "briefing.provided", {"briefingid": "示例", "section": "audit"}),
        received(4, "示-001"),
        *(transferred(5 + n, f"示-1{n:02}", text) for n, text in enumerate(HOSTILE)),
        corrected(20, "示-001", "示例线索（更正）"),
        {**transferred(21, "示-003"), "data": {}, "hubwithheld": "/clueid /title /reporter"},
        received(22, "示-002"),
    ]
