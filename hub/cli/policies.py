"""`guantong policy` and `guantong agency`: who takes part and who may what."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, say, show_json, show_table
from hub.cli.tokens import Days, Overlap, Replaces, options_of, show_issued

policy = App(name="policy")
policy.command(
    "hub.cli.rehearsal:diff",
    help="""比较策略文件与现行策略，不作改动。/ Compare a policy file with the policy in force.

    退出码 0 表示相同，2 表示不同，1 表示无法比较。/ Exits with 0 for the same, 2 for different,
    1 when it could not tell.
    """,
)
policy.command(
    "hub.cli.rehearsal:lint",
    help="""检查策略中无人能用、没有期限或过宽的内容。/ Find what is unusable, endless or too wide.

    退出码 0 表示没有问题，2 表示有问题，1 表示策略本身有错或无法检查。/ Exits with 0 for
    nothing found, 2 for findings, 1 when the policy has faults or could not be read.
    """,
)
agency = App(name="agency")


@policy.command
def show(*, as_json: AsJson = False, where: Where = Where()) -> None:
    """显示现行策略。/ Show the policy in force."""
    with connected(where) as client:
        document = client.get_policy().document
    if as_json:
        show_json(document)
        return
    say(f"策略版本 {document['version']}")
    show_table(("机构", "名称"), [(a["id"], a["name"]) for a in document["agencies"]])
    show_table(
        ("授权", "对象", "可", "类型", "区划", "字段类别", "轮次", "事由"),
        [
            (
                grant["id"],
                grant.get("agency") or f"kind {grant.get('kind')}",
                grant["may"],
                " ".join(grant["types"]),
                grant["region"],
                " ".join(grant["classes"]),
                grant.get("round", ""),
                grant["purpose"],
            )
            for grant in document["grants"]
        ],
    )
    if document["rounds"]:
        show_table(
            ("轮次", "名称", "起", "止"),
            [
                (r["id"], r["name"], r.get("from", ""), r.get("until", ""))
                for r in document["rounds"]
            ],
        )


@policy.command
def apply(
    file: Annotated[Path, Parameter(help="策略文件，.toml 或 .json / the reviewed file")],
    *,
    reason: Annotated[str, Parameter(help="变更事由 / why")],
    where: Where = Where(),
) -> None:
    """以文件内容整体替换策略。/ Put a policy file in force, as a whole."""
    document = read_policy(file)
    with connected(where) as client:
        standing = client.get_policy()
        applied = client.put_policy({**document, "reason": reason}, standing.etag)
    say(f"策略版本 {applied['version']} 已生效")


@agency.command(name="list")
def list_agencies(*, as_json: AsJson = False, where: Where = Where()) -> None:
    """列出登记的机构。/ List the registered agencies."""
    with connected(where) as client:
        records = list(client.agencies())
    if as_json:
        show_json(records)
    else:
        show_table(("机构", "名称"), [(record["id"], record["name"]) for record in records])


@agency.command
def token(
    agency_id: Annotated[str, Parameter(help="机构编号 / agency id")],
    *,
    days: Days = 365,
    replaces: Replaces = None,
    overlap: Overlap = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """为机构签发令牌，仅显示一次。/ Issue a token to an agency; it is shown once."""
    options = options_of(days=days, replaces=replaces, overlap=overlap)
    with connected(where) as client:
        show_issued(client.issue_token(agency_id, options), as_json=as_json)


def read_policy(file: Path) -> dict[str, Any]:
    """A policy document from a reviewed file. TOML dates become the strings that the hub reads."""
    text = file.read_text(encoding="utf-8")
    document = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("策略文件须为一个对象 / a policy file holds one object")
    plain: dict[str, Any] = json.loads(
        json.dumps(document, default=lambda value: value.isoformat())
    )
    return plain
