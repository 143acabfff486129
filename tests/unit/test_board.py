"""What `guantong status` shows of an invented hub, line by line."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from hub.cli.board import Sort, board
from hub.cli.status import status

AUDIT: dict[str, Any] = {
    "agency": "510100.audit",
    "name": "示范市[bold]审计局\x1b[2J",
    "today": {"accepted": 0, "refused": 3},
    "since_start": {"duplicate": 0},
    "last": "2026-11-11T08:05:00.000001Z",
    "rhythm": {
        "silent": True,
        "expected": 1326.4,
        "chance": 1e-9,
        "weekday": 31.0,
        "weeks": 8,
    },
    "subscriptions": 0,
    "lag": 0,
    "lag_complete": True,
    "oldest": None,
}
COURT: dict[str, Any] = {
    **AUDIT,
    "agency": "510100.political-legal.intermediate-people-court",
    "name": "示范市中级人民法院",
    "today": {"accepted": 40, "refused": 0},
    "since_start": {"duplicate": 1234},
    "last": "2026-11-25T13:47:09Z",
    "rhythm": {"silent": False, "expected": 0.0, "chance": 1.0, "weekday": 125.2, "weeks": 3},
}
OFFICE: dict[str, Any] = {
    **AUDIT,
    "agency": "510100.inspection-office",
    "name": "示范市委巡察办",
    "today": {"accepted": 0, "refused": 0},
    "last": None,
    "rhythm": None,
    "subscriptions": 2,
    "lag": 200600,
    "lag_complete": False,
    "oldest": "2026-11-25T11:40:00Z",
}
BUREAU: dict[str, Any] = {
    **OFFICE,
    "agency": "510100.petition",
    "name": "示范市信访局",
    "today": {"accepted": 300, "refused": 2},
    "last": "2026-11-25T13:49:00Z",
    "lag": 0,
    "lag_complete": True,
    "oldest": None,
}
TOLD: dict[str, Any] = {
    "version": "0.1.0",
    "started": "2026-11-22T11:00:00Z",
    "now": "2026-11-25T13:50:00Z",
    "queue": 2,
    "policy": 7,
    "journal": {
        "registered": 1234567,
        "oldest": "0-1",
        "newest": "0-1234567",
        "untallied": 12,
        "bytes": 812_000_000,
    },
    "refused": {"codes": {"format": 1, "not_granted": 1036}, "complete": False},
    "away": [{"region": "510000", "day": "2026-11-25", "spoke": 3, "usual": 41}],
    "items": [AUDIT, OFFICE, BUREAU, COURT],
    "next": None,
}


def shown(told: dict[str, Any], *, sort: Sort = "silence", **size: int) -> list[str]:
    """The lines on a terminal of that size."""
    console = Console(file=io.StringIO(), width=size["width"], color_system=None)
    console.print(board(told, sort=sort, **size))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_narrow_terminal_shows_what_matters_in_chinese_first() -> None:
    assert shown(TOLD, width=80) == [
        "贯通 0.1.0 · 已运行 3 天 · 策略 7 · 待写 2 · 2026-11-25 21:50:00",
        "登记 1,234,567 件 events · 库 812.0 MB · 尚未计入 12 件 untallied",
        "24 小时退回 refused ≥1,037：not_granted 1,036，format 1",
        "四川省多数机构 2026-11-25 未来件（3/41）：或为节假日、线路故障，不逐个报静默 /",
        "most agencies are away",
        "机构                    状态    上次来件  今日/通常     退回      未读  最早未读",
        "agency                  state       last      today  refused    unread    oldest",
        "─" * 80,
        "510100.audit            静默       14 天       0/31        3",
        "510100.political-lega…  正常      2 分钟     40/125        0",
        "510100.inspection-off…  —                         0        0  ≥200,600    2 小时",
        "510100.petition         学习中    1 分钟        300        2         0",
        "示范市[bold]审计局�[2J：自 11-11 16:05 起无来件，按以往 8 周的规律应有约 1,326",
        "件",
    ]


def test_a_wide_terminal_shows_names_and_what_is_known_besides() -> None:
    cells = [re.split(r" {2,}", line) for line in shown({**TOLD, "away": []}, width=140)[3:]]
    heads = "机构 名称 状态 上次来件 其间应有 今日/通常 重复 退回 订阅 未读 最早未读"
    english = "agency name state last expected today repeated refused feeds unread oldest"
    assert cells[:2] == [heads.split(), english.split()]
    name = "示范市[bold]审计局�[2J"
    assert cells[3:] == [
        ["510100.audit", name, "静默", "14 天", "1,326", "0/31", "0", "3", "0"],
        [
            "510100.political-legal.interm…",
            "示范市中级人民法院",
            *("正常", "2 分钟", "0", "40/125", "1,234", "0", "0"),
        ],
        [
            "510100.inspection-office",
            "示范市委巡察办",
            *("—", "0", "0", "0", "2", "≥200,600", "2 小时"),
        ],
        ["510100.petition", "示范市信访局", "学习中", "1 分钟", "300", "0", "2", "2", "0"],
        [
            f"{name}：自 11-11 16:05 起无来件，按以往 8 周的规律应有约 1,326 件"
            " / silent; about 1,326 events were usual"
        ],
    ]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("silence", [AUDIT, COURT, OFFICE, BUREAU]),
        ("lag", [OFFICE, AUDIT, BUREAU, COURT]),
        ("refused", [AUDIT, BUREAU, OFFICE, COURT]),
        ("agency", [AUDIT, OFFICE, BUREAU, COURT]),
    ],
)
def test_what_matters_comes_first(sort: Sort, order: list[dict[str, Any]]) -> None:
    lines = shown({**TOLD, "away": []}, sort=sort, width=140)
    assert [line.split()[0][:20] for line in lines[6:10]] == [item["agency"][:20] for item in order]


def test_a_terminal_that_is_too_low_says_what_it_leaves_out() -> None:
    silent = [{**AUDIT, "agency": f"5101{n:02}.audit"} for n in range(50)]
    lines = shown({**TOLD, "items": silent}, width=80, height=24)
    assert len(lines) == 24
    assert lines[-4] == "… 另有 37 个机构 / 37 more agencies"
    assert [line[:8] for line in lines[-3:]] == [AUDIT["name"][:8]] * 3
    assert len(shown({**TOLD, "items": silent}, width=80, height=3)) == 12


def test_a_hub_without_agencies_is_shown_too() -> None:
    lines = shown(
        {**TOLD, "items": [], "away": [], "refused": {"codes": {}, "complete": True}}, width=80
    )
    assert lines[2] == "24 小时退回 refused 0"
    assert len(lines) == 6


def test_looking_all_the_time_is_refused() -> None:
    with pytest.raises(ValueError, match="--interval 至少 1 秒"):
        status(interval=0.9)
