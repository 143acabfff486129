"""The policy and the tokens, as the doctor judges them."""

from collections.abc import Sequence
from typing import Final

from hub.database.connection import Connection
from hub.event import rfc3339
from hub.policy import issuing, sql
from hub.policy.document import PolicyDocument
from hub.policy.issuing import Ending
from hub.policy.tokens import owner_name
from hub.upkeep.finding import Finding, ok, warning

DAY: Final = 24 * 3600 * 1_000_000
MOST_NAMED: Final = 5


def judge_policy(version: int, document: PolicyDocument) -> Finding:
    """Whether there is a policy by which anybody may do anything."""
    agencies, grants = len(document.agencies), len(document.grants)
    if agencies and grants:
        return ok(
            "policy",
            f"策略版本 {version}：机构 {agencies:,}，授权 {grants:,}",
            f"policy version {version}: {agencies:,} agencies, {grants:,} grants",
        )
    return warning(
        "policy",
        f"策略版本 {version} 没有{'授权' if agencies else '机构'}，谁也不能发布或接收",
        f"policy version {version} has no {'grants' if agencies else 'agencies'}: nobody may"
        " publish or receive",
        "请用 guantong policy apply 生效一份经过审核的策略",
        "put a reviewed policy in force with guantong policy apply",
    )


def judge_tokens(
    holders: Sequence[tuple[str | None, str, int]],
    soon: Sequence[Ending],
    *,
    registered: frozenset[str],
    now: int,
) -> list[Finding]:
    """`holders`: agency, roles, when the last token expires. Only registered agencies count.

    `soon`: the tokens that end soon for want of a new one, the next first, as the metric counts
    them.
    """
    named = {
        owner_name(agency, frozenset(roles.split())): expires
        for agency, roles, expires in holders
        if agency is None or agency in registered
    }
    expired = sorted(name for name, expires in named.items() if expires <= now)
    several = any(" " in roles and expires > now for _, roles, expires in holders)
    found = [_all_roles()] if several else []
    if expired:
        found.append(
            warning(
                "tokens",
                f"令牌已过期且没有新的：{_listed(expired, '、')}",
                f"expired, without a newer one: {_listed(expired, ', ')}",
                "仍在接入的请重新签发（guantong agency token、token issue），停用的请从策略中除名",
                "issue new ones (guantong agency token, token issue); who has left goes from the"
                " policy",
            )
        )
    if soon:
        first = rfc3339(soon[0].expires)
        names = sorted({token.owner for token in soon})
        found.append(
            warning(
                "tokens",
                f"{len(soon):,} 个令牌将在 14 天内到期而未更换（最早 {first}）"
                f"：{_listed(names, '、')}",
                f"{len(soon):,} tokens end within 14 days and have not been replaced (the first at"
                f" {first}): {_listed(names, ', ')}",
                "请签发新令牌并交接",
                "issue new tokens and hand them over",
            )
        )
    return found or [
        ok(
            "tokens",
            f"{len(named):,} 个持有者的令牌有效",
            f"the tokens of {len(named):,} are valid",
        )
    ]


def access(connection: Connection, *, now: int) -> list[Finding]:
    """The policy in force and the tokens, as a snapshot sees them."""
    version, _ = sql.newest_version(connection)
    document = sql.document(connection, version)
    registered = frozenset(agency.id for agency in document.agencies)
    holders = sql.last_expiries(connection, lived=DAY)
    soon = issuing.expiring(connection, registered=registered, now=now)
    return [
        judge_policy(version, document),
        *judge_tokens(holders, soon, registered=registered, now=now),
    ]


def _all_roles() -> Finding:
    return warning(
        "tokens",
        "管理令牌兼有多个角色：适合试用，不适合正式运行（授权者不得自审）",
        "the administrator's token has several roles: fit for trying out, unfit for production",
        "正式运行请为各角色分别签发（guantong token issue），由不同的人保管",
        "in production, make a token of each role (guantong token issue), for different people",
    )


def _listed(names: Sequence[str], comma: str) -> str:
    more = f" +{len(names) - MOST_NAMED:,}" if len(names) > MOST_NAMED else ""
    return comma.join(names[:MOST_NAMED]) + more
