"""What the bench works on: events of 1.37 KB with Chinese text, policies, subscriptions."""

import json
import os
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from contracts.region import load_regions
from hub.logs import logger
from tests.sample import CITY, DISCIPLINE, PETITION, agency, grant

SUMMARY = (
    "来信人反映所住小区物业服务企业长期不公开公共收益收支情况，业主多次要求查看账目未获答复；"
    "同时反映地下车库照明损坏、消防通道被占用等问题，请求有关部门督促整改并公布处理结果。"
    "经初步核对，涉及住户约三百户，物业服务合同将于年底到期。"
)


def event(number: int, *, region: str = "510104", series: str = "b") -> dict[str, Any]:
    """A petition case, about 1,370 bytes."""
    return {
        "specversion": "1.0",
        "id": f"XF510100{series}{number:09d}",
        "source": f"/{PETITION}/xfj",
        "type": "petition.case_transferred",
        "time": "2026-10-08T09:30:00+08:00",
        "dataschema": "urn:guantong:contract:petition.case_transferred:1.0",
        "datacontenttype": "application/json",
        "region": region,
        "data": {
            "petitionid": f"XF510100{series}{number:09d}",
            "native": {"xfjbh": f"XF510100{series}{number:09d}", "xfxs": "0001", "nrfl": "990000"},
            "form": {"code": "1", "label": "来信"},
            "purpose": {"code": "2", "label": "求决"},
            "content_class": {"code": "990000", "label": "其他"},
            "place": region,
            "date": "2026-10-08",
            "people": 3,
            "joint": True,
            "repeat": False,
            "threat": False,
            "anonymous": False,
            "litigation": False,
            "handling": {"code": "2", "label": "转送"},
            "aliases": [{"system": "省平台", "number": f"SC{number:012d}"}],
            "summary": SUMMARY,
            "petitioner": {
                "name": "林晓禾",
                "phone": "19900000001",
                "address": "示范市东湖区样例路十二号",
            },
            "accused": [
                {
                    "name": "周某",
                    "post": "项目经理",
                    "unit": {"name": "示范市样例物业服务有限公司", "region": region},
                }
            ],
        },
    }


def rendered(events: Sequence[dict[str, Any]]) -> list[bytes]:
    """Events as compact JSON."""
    return [json.dumps(e, ensure_ascii=False, separators=(",", ":")).encode() for e in events]


def bench_policy() -> dict[str, Any]:
    """A publisher, a subscriber that may see everything, one that may see codes and counts."""
    return {
        "agencies": [
            agency(PETITION, "示范市信访局"),
            agency(CITY, "示范市委巡察办"),
            agency(DISCIPLINE, "示范市纪委监委"),
        ],
        "grants": [
            grant(PETITION, "publish", "petition.*"),
            grant(CITY, "receive", "*"),
            grant(DISCIPLINE, "receive", "*", classes=["F0", "F1"]),
        ],
        "recusals": [],
    }


def regions_of_a_country(count: int) -> list[str]:
    """Counties, as many as are asked for."""
    known = load_regions()
    codes = (f"{n:06d}" for n in range(110000, 700000))
    # A retired code and its successor would each have the events of both.
    current = (c for c in codes if known.known(c) and known.current(c) == c)
    counties = (c for c in current if not c.endswith("00"))
    return [code for _, code in zip(range(count), counties, strict=False)]


def crowd(*, agencies: int, grants: int) -> dict[str, Any]:
    """A policy of so many agencies, three kinds in each county, with as many grants each."""
    kinds = ("inspection-office", "discipline", "audit")
    ids = [f"{region}.{kind}" for region in regions_of_a_country(agencies // 3) for kind in kinds]
    return {
        "agencies": [agency(id_, f"机构{n}", organ=f"o{n}") for n, id_ in enumerate(ids)],
        "grants": [
            grant(
                ids[n % len(ids)],
                "receive",
                "petition.*" if n // len(ids) % 2 else "*",
                classes=["F0", "F1", "F2"],
                **{"from": "2026-01-01", "until": "2027-12-31"},
            )
            for n in range(grants)
        ],
        "recusals": [],
    }


def log_to_nowhere() -> FilteringBoundLogger:
    """The hub's own logger: what it writes costs what it costs a hub, and is not kept."""
    with redirect_stderr(Path(os.devnull).open("w")):
        return logger()
