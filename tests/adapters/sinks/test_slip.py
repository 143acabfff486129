"""The slips that people print and sign."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from adapters.kit.sinks.slip import SlipSettings, page
from contracts.catalogue import load_catalogue
from contracts.contract import Contract
from tests.adapters.sinks.events import HOSTILE, event, received, transferred
from tests.adapters.sinks.making import HERE, contents

SLIPS = [contract for contract in load_catalogue() if contract.slip is not None]
EXAMPLES = Path(__file__).parents[3] / "contracts"


def read(written: str) -> Any:
    return html.document_fromstring(written)


def texts(document: Any, path: str) -> list[str]:
    return [found.text_content() for found in document.xpath(path)]


def written(given: dict[str, Any]) -> Any:
    contract = load_catalogue().by_dataschema(given["dataschema"])
    assert contract is not None and contract.slip is not None
    return read(page(given, contract, contract.slip))


def test_a_slip_says_what_changes_hands_and_who_signs() -> None:
    document = written(transferred(7, "示-001"))
    assert texts(document, "//h1") == ["问题线索移交交接单"]
    assert dict(zip(texts(document, "//dt"), texts(document, "//dd"), strict=True)) == {
        "线索编号": "示-001",
        "原系统编号": "",
        "交接单号": "交接单 示-001",
        "事项": "问题线索移交",
        "发出单位": "510100.inspection-office",
        "发出时间": "2026-05-21 09:40:00",
        "回执号": "00000000 00000000 00000000 00000007",
    }
    assert texts(document, "//h2") == ["依据材料（共 1 项）"]
    assert texts(document, "//th") == ["序号", "文号", "文件名称", "页数"]
    assert texts(document, "//td") == ["1", "示例〔2026〕1号", "示例底稿", "6"]
    assert texts(document, "//span[@class='who']") == [
        "移交人（签字）：", "移交人（签字）：", "接收人（签字）：", "接收人（签字）：",
    ]  # fmt: skip
    assert texts(document, "//p[@class='marking']") == ["密级：内部"]
    (style,) = texts(document, "//style")
    assert "A4" in style and "counter(pages)" in style and f"{7:032x}" in style


def test_what_was_kept_back_is_marked() -> None:
    given = {**transferred(7, "示-001"), "hubwithheld": "/clueid /basis/-/docno /reporter"}
    del given["data"]["clueid"], given["data"]["basis"][0]["docno"]
    document = written(given)
    assert texts(document, "//dd")[0] == "（未提供）"
    assert texts(document, "//section/p[@class='note']") == ["（未提供）文号"]
    given = {**given, "hubwithheld": "/basis"}
    del given["data"]["basis"]
    assert texts(written(given), "//section/p")[0] == "（未提供）清单内容未向本单位提供"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_an_event_says_becomes_markup(hostile: str) -> None:
    given = transferred(7, hostile, basis=[{"title": hostile, "kind": hostile}])
    given = {**given, "hubreceipt": f'"; }} </style>{hostile}', "dataclassification": hostile}
    document = written(given)
    allowed = {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "div", "dt", "dd",
        "section", "table", "thead", "tbody", "tr", "th", "td", "span",
    }  # fmt: skip
    assert {element.tag for element in document.iter()} == allowed
    assert "url(" not in texts(document, "//style")[0]
    assert document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [
        "default-src 'none'; style-src 'unsafe-inline'"
    ]


@pytest.mark.parametrize("contract", SLIPS, ids=lambda c: c.name)
def test_every_contract_with_a_slip_has_one_that_can_be_printed(contract: Contract) -> None:
    names = EXAMPLES.glob(f"{contract.family}/examples/valid/{contract.type}-*.json")
    examples = [path for path in names if re.fullmatch(rf"{contract.type}-[0-9]", path.stem)]
    for path in examples:
        data = json.loads(path.read_text(encoding="utf-8"))
        given = {**event(1, contract.type, data), "dataschema": contract.urn}
        assert contract.slip is not None
        document = read(page(given, contract, contract.slip))
        assert len(texts(document, "//span[@class='who']")) == len(contract.slip.signed_by)
        assert len(texts(document, "//dd")) == len(contract.slip.numbers) + 4


def test_events_without_a_slip_have_none(tmp_path: Path) -> None:
    settings = SlipSettings(type="slip", path=Path("out"))
    unknown = {**transferred(3, "示-003"), "dataschema": "urn:guantong:contract:clue.moved:1.0"}
    with settings.opened(tmp_path, HERE) as sink:
        sink.take([received(1, "示-001"), transferred(2, "示-002"), unknown])
    assert list(contents(tmp_path / "out")) == [f"0-2-{2:032x}.html"]
