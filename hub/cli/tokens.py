"""`guantong token`: the tokens of roles, and every token by its number."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, say, show_json, show_table

token = App(name="token")

Days = Annotated[int, Parameter(help="有效天数 / valid for days")]
Replaces = Annotated[
    int | None, Parameter(help="被替换令牌的编号 / number of the token that it replaces")
]
Overlap = Annotated[
    int | None,
    Parameter(
        help="被替换的令牌继续有效的小时数，默认 24 / hours for which that one is still good"
    ),
]


@token.command
def issue(
    role: Annotated[
        Literal["system", "security", "auditor", "operator"], Parameter(help="角色 / the role")
    ],
    *,
    days: Days = 365,
    replaces: Replaces = None,
    overlap: Overlap = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """为角色签发令牌，仅显示一次；须用该角色自己的令牌或管理令牌。

    Issue a token to a role; it is shown once. It takes that role's own token, or the
    administrator's.
    """
    options = options_of(days=days, replaces=replaces, overlap=overlap)
    with connected(where) as client:
        show_issued(client.issue_role_token(role, options), as_json=as_json)


@token.command(name="list")
def list_tokens(
    *,
    agency: Annotated[str | None, Parameter(help="只列此机构的 / of this agency only")] = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """列出本角色负责的令牌。/ List the tokens that the role has charge of."""
    with connected(where) as client:
        found = list(client.tokens(agency))
    if as_json:
        show_json(found)
        return
    show_table(
        ("编号", "机构或角色", "签发", "到期", "最近使用", "吊销", "已由何者替换"),
        [
            (
                item["number"],
                item["agency"] or " ".join(item["roles"]),
                *(_short(item[name]) for name in ("created", "expires", "last_used", "revoked")),
                item["replaced_by"] or "",
            )
            for item in found
        ],
    )


@token.command
def revoke(
    number: Annotated[int, Parameter(help="令牌编号 / the token's number")],
    *,
    where: Where = Where(),
) -> None:
    """立即吊销令牌。/ End a token at once."""
    with connected(where) as client:
        client.end_token(number)
    say(f"令牌 {number} 已吊销")


def options_of(*, days: int, replaces: int | None, overlap: int | None) -> dict[str, Any]:
    """What a request for a token says beside whose it is."""
    options: dict[str, Any] = {"seconds": days * 24 * 3600}
    if replaces is not None:
        options["replaces"] = replaces
    elif overlap is not None:
        raise ValueError("--overlap 须与 --replaces 同用 / --overlap goes with --replaces")
    if overlap is not None:
        options["overlap"] = overlap * 3600
    return options


def show_issued(issued: Any, *, as_json: bool) -> None:
    """Print a new token, this once."""
    if as_json:
        show_json(issued)
    else:
        say(issued["token"])


def _short(time: str | None) -> str:
    """A time to the minute, UTC."""
    return "" if time is None else f"{time[:10]} {time[11:16]}"
