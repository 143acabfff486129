"""`guantong policy diff` and `policy lint`: a policy looked at before it is put in force."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from contracts.catalogue import load_catalogue
from contracts.faults import Fault
from contracts.region import Regions
from hub.app.ground import microseconds_now
from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, say, show_json, show_table
from hub.cli.owncodes import codes_of
from hub.cli.policies import read_policy
from hub.policy.document import PolicyDocument, faults_in, parse
from hub.policy.lint import lint as findings_in

# Beside 1, with which a command says that it could not do its work.
FOUND: Final = 2
REASON: Final = "预演 / rehearsal"
PARTS: Final = {"agencies": "机构", "grants": "授权", "recusals": "回避", "rounds": "轮次"}


def diff(
    file: Annotated[Path, Parameter(help="拟施行的策略文件 / the policy to be put in force")],
    *,
    replay: Annotated[
        str | None,
        Parameter(help="以近期事件预演，如 30d、12h / rehearse on the events of that time"),
    ] = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """Ask the hub for a dry run. Raises HubProblem for what it refuses."""
    document = read_policy(file)
    with connected(where) as client:
        standing = client.get_policy()
        told = client.put_policy(
            {**document, "reason": REASON}, standing.etag, dry_run=True, replay=replay
        )
    if as_json:
        show_json(told)
    else:
        _show_difference(told)
    return FOUND if told["changed"] else 0


def lint(
    file: Annotated[
        Path | None, Parameter(help="策略文件（离线检查）；不写则检查现行策略 / offline, if named")
    ] = None,
    *,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """With a file no hub is asked. Raises PolicyInvalid for a policy with faults."""
    regions = codes_of(where.data).regions()
    document = _checked(in_force(where) if file is None else read_policy(file), regions)
    found = [
        asdict(finding)
        for finding in findings_in(
            document, catalogue=load_catalogue(), regions=regions, now=microseconds_now()
        )
    ]
    if as_json:
        show_json(found)
    else:
        _show_findings(found)
    return FOUND if found else 0


def in_force(where: Where) -> dict[str, Any]:
    """The policy in force, as a document."""
    with connected(where) as client:
        document = client.get_policy().document
    return {name: value for name, value in document.items() if name != "version"}


def _checked(document: Mapping[str, Any], regions: Regions) -> PolicyDocument:
    """The document, free of faults. Raises ValueError, which tells them."""
    parsed = parse(json.dumps(document).encode())
    if isinstance(parsed, PolicyDocument):
        faults: Sequence[Fault] = faults_in(parsed, load_catalogue(), regions)
        if not faults:
            return parsed
    else:
        faults = parsed
    lines = (f"{f.pointer or '/'}  {f.message} / {f.message_en}" for f in faults)
    raise ValueError("\n".join(("", *lines)))


def _show_difference(told: Mapping[str, Any]) -> None:
    rows = [row for part, name in PARTS.items() for row in _rows(name, told[part])]
    if rows:
        say(f"与现行策略（版本 {told['version']}）的差别：")
        show_table(("部分", "变化", "编号", "字段", "现行", "拟改为"), rows)
    elif told["changed"]:
        say(f"与现行策略（版本 {told['version']}）仅次序不同")
    else:
        say(f"与现行策略（版本 {told['version']}）相同")
    if "replay" in told:
        _show_replay(told["replay"])
    if told["lint"]:
        say("施行后须注意：")
        _show_findings(told["lint"])


def _rows(part: str, difference: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for sign, name in (("added", "新增"), ("removed", "删除")):
        for id_ in difference[sign]:
            yield part, name, id_, "", "", ""
    for changed in difference["changed"]:
        for field, (old, new) in changed["fields"].items():
            yield part, "修改", changed["id"], field, _text(old), _text(new)


def _show_replay(replay: Mapping[str, Any]) -> None:
    scope = "" if replay["complete"] else "（事件过多，更早的未预演）"
    say(
        f"预演 {replay['from']} 以来的 {replay['events']} 个事件{scope}，"
        f"共作 {replay['decisions']} 次判定："
    )
    if not replay["changes"]:
        say("没有任何机构会因此多收或少收")
        return
    show_table(
        ("机构", "事件类型", "新增可收", "不再可收", "字段变多", "字段变少", "例（回执号）"),
        [
            tuple(
                change[name]
                for name in ("agency", "type", "allowed", "denied", "wider", "narrower", "example")
            )
            for change in replay["changes"]
        ],
    )


def _show_findings(found: Sequence[Mapping[str, Any]]) -> None:
    for each in found:
        say(f"{each['id'] or '策略'}  {each['pointer'] or '/'}  {each['code']}")
        say(f"    {each['message']}。{each['advice']}。")
        say(f"    {each['message_en']}; {each['advice_en']}.")
    say(f"{len(found)} 处须注意 / findings")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
