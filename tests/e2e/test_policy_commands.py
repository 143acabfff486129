"""`guantong policy diff`, `lint` and `show`, as an administrator runs them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Done, guantong
from tests.running import RunningHub
from tests.sample import CITY, PETITION, agency, grant, petition

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "deploy" / "demo" / "policy.toml"
DOCUMENT: dict[str, Any] = {
    "agencies": [agency(PETITION, "示范市信访局"), agency(CITY, "示范市委巡察办")],
    "grants": [
        grant(PETITION, "publish", "petition.*", id="publishes"),
        grant(CITY, "receive", "petition.*", id="receives", classes=["F0"], round="14-11"),
    ],
    "recusals": [],
    "rounds": [{"id": "14-11", "name": "第十一轮", "from": "2026-01-01"}],
}
WIDER = {
    **DOCUMENT,
    "grants": [DOCUMENT["grants"][0], {**DOCUMENT["grants"][1], "classes": ["F0", "F2"]}],
}


def run(*words: str | Path) -> Done:
    """Run a policy command."""
    return guantong("policy", *words)


def written(directory: Path, document: dict[str, Any]) -> Path:
    """A policy file."""
    path = directory / "policy.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def in_table(output: str) -> list[list[str]]:
    """The rows of the tables that a command has printed."""
    lines = [line for line in output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


@pytest.fixture
def data(hub: RunningHub) -> Path:
    hub.apply(DOCUMENT)
    return hub.directory


def test_the_policy_in_force_differs_in_nothing(data: Path, tmp_path: Path) -> None:
    done = run("diff", written(tmp_path, DOCUMENT), "--data", data)
    assert (done.status, done.complained) == (0, "")
    assert done.said.startswith("与现行策略（版本 ")
    assert done.said.endswith("）相同\n")


def test_a_difference_is_shown_with_what_it_does_and_what_is_odd_in_it(
    hub: RunningHub, data: Path, tmp_path: Path
) -> None:
    hub.agency(CITY).subscribe()
    (receipt,) = hub.agency(PETITION).accepted(petition("diff"))
    file = written(tmp_path, WIDER)
    done = run("diff", file, "--replay", "1h", "--data", data)
    assert (done.status, done.complained) == (2, "")
    type_ = "petition.case_transferred"
    assert in_table(done.said) == [
        ["授权", "修改", "receives", "classes", '["F0"]', '["F0", "F2"]'],
        [CITY, type_, "0", "0", "1", "0", receipt["id"]],
    ]
    assert "receives  /grants/1  grant_without_end\n" in done.said
    shown = run("diff", file, "--replay", "1h", "--data", data, "--json")
    told = json.loads(shown.said)
    assert (shown.status, told["changed"]) == (2, True)
    assert (told["replay"]["events"], told["replay"]["decisions"]) == (1, 2)
    with hub.admin as admin:
        assert admin.get("/v1/policy").json()["grants"][1]["classes"] == ["F0"]


def test_what_cannot_be_compared_is_told_apart_from_a_difference(
    data: Path, tmp_path: Path
) -> None:
    faulty = {**DOCUMENT, "grants": [{**DOCUMENT["grants"][0], "region": "519999"}]}
    missing = tmp_path / "missing.toml"
    done = [
        run("diff", written(tmp_path, faulty), "--data", data),
        run("diff", missing, "--data", data),
        run("diff", written(tmp_path, WIDER), "--replay", "1w", "--data", data),
    ]
    assert [(each.status, each.said) for each in done] == [(1, "")] * 3
    assert done[0].complained.splitlines() == [
        "内容不符合要求 / the content does not fit (invalid)",
        "/grants/0/region  行政区划代码不存在 / not a region code in force",
    ]
    assert str(missing) in done[1].complained
    assert done[2].complained.startswith("请求不合规 / the request is malformed (bad_request) ")


def test_the_policy_of_the_demo_is_sound() -> None:
    done = run("lint", DEMO)
    assert (done.status, done.said, done.complained) == (0, "0 处须注意 / findings\n", "")


def test_a_file_and_the_policy_in_force_are_linted_alike(data: Path, tmp_path: Path) -> None:
    proposed = {**DOCUMENT, "agencies": [*DOCUMENT["agencies"], agency("510100.audit", "审计局")]}
    offline = run("lint", written(tmp_path, proposed), "--json")
    assert offline.status == 2
    assert [(f["code"], f["id"]) for f in json.loads(offline.said)] == [
        ("agency_without_grant", "510100.audit")
    ]
    in_force = run("lint", "--data", data)
    assert (in_force.status, in_force.said) == (0, "0 处须注意 / findings\n")
    shown = run("lint", written(tmp_path, proposed))
    assert shown.said.splitlines() == [
        "510100.audit  /agencies/2  agency_without_grant",
        "    该机构没有任何有效授权，既不能发布也不能接收。请为其授权，或写明 valid_until。",
        "    no grant names this agency or its kind: it can neither publish nor receive;"
        " grant it something, or say until when it takes part.",
        "1 处须注意 / findings",
    ]


def test_a_file_with_faults_is_refused_with_each_of_them(tmp_path: Path) -> None:
    faulty = {**DOCUMENT, "agencies": [agency("510100.nobody", "无"), agency("519999.audit", "无")]}
    done = run("lint", written(tmp_path, faulty))
    assert (done.status, done.said) == (1, "")
    for pointer in ("/agencies/0/id", "/agencies/1/id", "/grants/0/agency", "/grants/1/agency"):
        assert pointer in done.complained


def test_the_rounds_are_shown_with_the_policy(data: Path) -> None:
    rows = in_table(run("show", "--data", data).said)
    assert ["14-11", "第十一轮", "2026-01-01", ""] in rows
    assert [row[6] for row in rows if row[0] == "receives"] == ["14-11"]
