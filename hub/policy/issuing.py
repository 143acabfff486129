"""Issuing, replacing and revoking tokens: works for the writer, each with its act on the record."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any, Final

from contracts.faults import Fault
from hub.database.access import change_access
from hub.database.connection import Connection
from hub.errors import Forbidden, Invalid, NotFound
from hub.event import rfc3339
from hub.policy import sql
from hub.policy.acts import THE_HUB, Actor, record_act
from hub.policy.sql import TokenRow
from hub.policy.tokens import ROLES, Caller, digest_of, new_token, owner_name

SECOND: Final = 1_000_000
NEAR: Final = 14 * 24 * 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token to make: for an agency, or for a role. Times in seconds.

    The token `replaces` names stays good for `overlap` more, so that its bearer can change over.
    """

    agency: str | None
    roles: frozenset[str]
    seconds: int
    replaces: int | None = None
    overlap: int = 0

    @property
    def owner(self) -> str:
        """How records name whom it is for."""
        return owner_name(self.agency, self.roles)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, shown once; `expires` in microseconds UTC; the digest of the one it replaces."""

    token: str
    number: int
    expires: int
    replaced: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """A token that ends soon: whose it is, and when, microseconds UTC."""

    owner: str
    expires: int


def issue(connection: Connection, wanted: Wanted, *, caller: Caller, now: int) -> Issued:
    """Make a token. Raises Forbidden, or Invalid when it cannot replace what it should."""
    _refuse_unless_in_charge(caller, wanted.agency, wanted.roles)
    return _issue(connection, wanted, by=caller.actor, now=now)


def revoke(
    connection: Connection, number: int, *, caller: Caller, now: int, agency: str | None = None
) -> bytes:
    """End a token at once, one of the agency if one is named; its digest.

    Raises NotFound when there is no such token that is not yet revoked, or Forbidden.
    """
    token = sql.token_by_number(connection, number)
    if token is None or token.revoked_at is not None or agency not in (None, token.agency):
        raise NotFound
    _refuse_unless_in_charge(caller, token.agency, frozenset(token.roles.split()))
    _revoke(connection, token, by=caller.actor, now=now)
    return token.digest


def expiring(connection: Connection, *, registered: Container[str], now: int) -> list[Ending]:
    """The tokens that end within 14 days for want of a new one, the next first.

    Those of agencies that are not `registered` any more open nothing, and are left out.
    """
    return [
        Ending(owner_name(agency, frozenset(roles.split())), expires)
        for agency, roles, expires in sql.expiring(connection, now=now, until=now + NEAR)
        if agency is None or agency in registered
    ]


def renew_admin(connection: Connection, *, now: int, seconds: int) -> Issued:
    """Make the administrator's token, which bears every role; those made before it end."""
    for token in _administrators(connection):
        _revoke(connection, token, by=THE_HUB, now=now)
    return _issue_admin(connection, now=now, seconds=seconds)


def first_admin(connection: Connection, *, now: int, seconds: int) -> Issued | None:
    """Make the administrator's token, unless there is one in force."""
    # Of two processes that start at once, one makes it.
    change_access(connection)
    if any(token.expires_at > now for token in _administrators(connection)):
        return None
    return _issue_admin(connection, now=now, seconds=seconds)


def _administrators(connection: Connection) -> Iterator[TokenRow]:
    """The tokens with every role that were not revoked."""
    after = 0
    every = " ".join(sorted(ROLES))
    while page := sql.tokens_after(connection, agency=None, roles=every, after=after, most=100):
        yield from (token for token in page if token.revoked_at is None)
        after = page[-1].number


def _issue_admin(connection: Connection, *, now: int, seconds: int) -> Issued:
    wanted = Wanted(agency=None, roles=ROLES, seconds=seconds)
    return _issue(connection, wanted, by=THE_HUB, now=now)


def _refuse_unless_in_charge(caller: Caller, agency: str | None, roles: frozenset[str]) -> None:
    """The role system has charge of agencies' tokens, each role of its own, and of no other's."""
    needed = frozenset({"system"}) if agency is not None else roles
    if not needed <= caller.roles:
        raise Forbidden(
            f"须由角色 {'、'.join(sorted(needed))} 自己的令牌办理"
            f" / this takes a token of the role {' and '.join(sorted(needed))}"
        )


def _issue(connection: Connection, wanted: Wanted, *, by: Actor, now: int) -> Issued:
    standing = None if wanted.replaces is None else _replaceable(connection, wanted, now)
    token = new_token()
    expires = now + wanted.seconds * SECOND
    number = sql.insert_token(
        connection,
        digest=digest_of(token),
        agency=wanted.agency,
        roles=" ".join(sorted(wanted.roles)),
        now=now,
        expires=expires,
    )
    detail: dict[str, Any] = {"number": number, "expires": rfc3339(expires)}
    if standing is None:
        record_act(connection, "token.issued", by=by, subject=wanted.owner, detail=detail, now=now)
        return Issued(token, number, expires)
    ends = min(standing.expires_at, now + wanted.overlap * SECOND)
    sql.replace_token(connection, standing.number, by=number, expires=ends)
    detail |= {"replaces": standing.number, "ends": rfc3339(ends)}
    record_act(connection, "token.replaced", by=by, subject=wanted.owner, detail=detail, now=now)
    return Issued(token, number, expires, replaced=standing.digest)


def _replaceable(connection: Connection, wanted: Wanted, now: int) -> TokenRow:
    """The token to replace: one in force, and of the same owner."""
    token = sql.token_by_number(connection, wanted.replaces or 0)
    if (
        token is None
        or (token.agency, frozenset(token.roles.split())) != (wanted.agency, wanted.roles)
        or token.revoked_at is not None
        or token.expires_at <= now
    ):
        raise Invalid(faults=(_NOT_REPLACEABLE,))
    return token


def _revoke(connection: Connection, token: TokenRow, *, by: Actor, now: int) -> None:
    sql.revoke_token(connection, token.number, now=now)
    record_act(
        connection,
        "token.revoked",
        by=by,
        subject=owner_name(token.agency, frozenset(token.roles.split())),
        detail={"number": token.number},
        now=now,
    )


_NOT_REPLACEABLE = Fault(
    "token_unknown",
    "/replaces",
    "被替换的令牌须属于同一机构或角色，且尚在有效期内",
    "the token to replace must be of the same agency or role, and in force",
)
