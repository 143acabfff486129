"""The statements of the policy, of tokens and of the record of acts."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from hub.database.access import change_access
from hub.database.tables import acts, policies, tokens
from hub.policy.document import PolicyDocument


def newest_version(connection: Connection) -> tuple[int, int]:
    """The version in force and its time: a number alone may come back after a failed commit."""
    row = connection.exec_driver_sql(
        "SELECT version, changed_at FROM policies ORDER BY version DESC LIMIT 1"
    ).one()
    return row[0], row[1]


def version_at(connection: Connection, moment: int) -> int:
    """The version that was in force at a moment; the first for any before it."""
    then = select(func.max(policies.c.version)).where(policies.c.changed_at <= moment)
    return connection.execute(then).scalar_one() or 0


def document(connection: Connection, version: int) -> PolicyDocument:
    """The document of one version; it was checked when it was applied."""
    return PolicyDocument.model_validate_json(written_document(connection, version))


def written_document(connection: Connection, version: int) -> str:
    """The document of one version, JSON."""
    chosen = select(policies.c.document).where(policies.c.version == version)
    return str(connection.execute(chosen).scalar_one())


def append_version(
    connection: Connection,
    *,
    version: int,
    document: str,
    by: str,
    reason: str,
    now: int,
) -> None:
    """Put a new version in force; `document` is its JSON."""
    connection.execute(
        insert(policies).values(
            version=version,
            document=document,
            changed_by=by,
            reason=reason,
            changed_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is kept. `agency` None: a token of roles only. Times in microseconds UTC."""

    number: int
    digest: bytes
    agency: str | None
    roles: str
    created_at: int
    expires_at: int
    revoked_at: int | None
    last_used_at: int | None
    replaced_by: int | None


_TOKEN = (
    tokens.c.number,
    tokens.c.digest,
    tokens.c.agency,
    tokens.c.roles,
    tokens.c.created_at,
    tokens.c.expires_at,
    tokens.c.revoked_at,
    tokens.c.last_used_at,
    tokens.c.replaced_by,
)


def token_by_digest(connection: Connection, digest: bytes) -> TokenRow | None:
    """The token whose SHA-256 is `digest`."""
    row = connection.execute(select(*_TOKEN).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else TokenRow(*row)


def token_by_number(connection: Connection, number: int) -> TokenRow | None:
    """The token of that number."""
    row = connection.execute(select(*_TOKEN).where(tokens.c.number == number)).one_or_none()
    return None if row is None else TokenRow(*row)


def tokens_after(
    connection: Connection, *, agency: str | None, roles: str | None, after: int, most: int
) -> list[TokenRow]:
    """Tokens in the order of their numbers; of one agency, or of just those roles, if named."""
    asked = select(*_TOKEN).where(tokens.c.number > after).order_by(tokens.c.number).limit(most)
    if agency is not None:
        asked = asked.where(tokens.c.agency == agency)
    if roles is not None:
        asked = asked.where(tokens.c.agency.is_(None), tokens.c.roles == roles)
    return [TokenRow(*row) for row in connection.execute(asked)]


def tokens_in_force(connection: Connection, *, now: int, most: int) -> list[TokenRow]:
    """Tokens that are neither expired nor revoked, the last used first, unused ones last."""
    asked = (
        select(*_TOKEN)
        .where(tokens.c.expires_at > now, tokens.c.revoked_at.is_(None))
        .order_by(tokens.c.last_used_at.desc(), tokens.c.number.desc())
        .limit(most)
    )
    return [TokenRow(*row) for row in connection.execute(asked)]


def insert_token(
    connection: Connection, *, digest: bytes, agency: str | None, roles: str, now: int, expires: int
) -> int:
    """Keep a new token; its number."""
    made = insert(tokens).values(
        digest=digest, agency=agency, roles=roles, created_at=now, expires_at=expires
    )
    number: int = connection.execute(made.returning(tokens.c.number)).scalar_one()
    return number


def revoke_token(connection: Connection, number: int, *, now: int) -> None:
    """Revoke a token."""
    _mark_tokens(connection)
    connection.execute(update(tokens).where(tokens.c.number == number).values(revoked_at=now))


def replace_token(connection: Connection, number: int, *, by: int, expires: int) -> None:
    """Another token takes the place of this one, which is good until `expires`."""
    _mark_tokens(connection)
    where = tokens.c.number == number
    connection.execute(update(tokens).where(where).values(replaced_by=by, expires_at=expires))


def _mark_tokens(connection: Connection) -> None:
    change_access(connection)
    connection.exec_driver_sql("UPDATE revisions SET revision = revision + 1 WHERE name = 'tokens'")


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells a process that another has changed the policy, or ended tokens."""

    policy: int
    tokens: int


def marks(connection: Connection) -> Marks:
    """How they stand; one statement, asked again and again."""
    row = connection.exec_driver_sql(
        "SELECT (SELECT max(version) FROM policies), revision FROM revisions WHERE name = 'tokens'"
    ).one()
    return Marks(*row)


def note_uses(connection: Connection, uses: Mapping[int, int]) -> None:
    """Keep when tokens were last used, by number.

    One that another process has is passed over: it notes a use of now, or ends the token.
    """
    free = select(tokens.c.number).where(tokens.c.number == bindparam("of"))
    used = update(tokens).where(tokens.c.number.in_(free.with_for_update(skip_locked=True)))
    connection.execute(
        used.values(last_used_at=bindparam("at")),
        [{"of": number, "at": at} for number, at in sorted(uses.items())],
    )


def expiring(connection: Connection, *, now: int, until: int) -> list[tuple[str | None, str, int]]:
    """The tokens that end by `until` for want of a new one: agency, roles, when; in that order.

    Not one that was replaced, nor one that was made to end so soon after it was made.
    """
    where = (
        tokens.c.expires_at.between(now + 1, until)
        & tokens.c.revoked_at.is_(None)
        & tokens.c.replaced_by.is_(None)
        & (tokens.c.expires_at - tokens.c.created_at > until - now)
    )
    asked = select(tokens.c.agency, tokens.c.roles, tokens.c.expires_at).where(where)
    rows = connection.execute(asked.order_by(tokens.c.expires_at))
    return [(agency, roles, expires) for agency, roles, expires in rows]


@dataclass(frozen=True, slots=True)
class ActRow:
    """An administrative act as it is kept; `at` in microseconds UTC, `detail` JSON."""

    number: int
    at: int
    caller: str
    token: int | None
    act: str
    subject: str
    detail: str


def last_expiries(connection: Connection, *, lived: int) -> list[tuple[str | None, str, int]]:
    """Of each holder (agency, roles), when its last unrevoked token expires.

    Tokens made for less than `lived` microseconds are left out: a command's own, for minutes.
    """
    where = tokens.c.revoked_at.is_(None) & (tokens.c.expires_at - tokens.c.created_at >= lived)
    holder = (tokens.c.agency, tokens.c.roles)
    rows = connection.execute(
        select(*holder, func.max(tokens.c.expires_at)).where(where).group_by(*holder)
    )
    return [(agency, roles, expires) for agency, roles, expires in rows]


def insert_act(
    connection: Connection,
    *,
    at: int,
    caller: str,
    token: int | None,
    act: str,
    subject: str,
    detail: str,
) -> None:
    """Append an act."""
    connection.execute(
        insert(acts).values(
            at=at, caller=caller, token=token, act=act, subject=subject, detail=detail
        )
    )


def acts_on_subscriptions(connection: Connection, agency: str, *, until: int) -> list[ActRow]:
    """What was done to an agency's subscriptions up to a moment, in order."""
    first, last = f"{agency}/", f"{agency}/\U0010ffff"
    subject = (acts.c.subject >= first) & (acts.c.subject <= last)
    asked = select(acts).where(subject & (acts.c.at <= until)).order_by(acts.c.number)
    return [ActRow(*row) for row in connection.execute(asked)]


def acts_after(
    connection: Connection,
    *,
    after: int,
    most: int,
    subject: str | None,
    act: str | None,
    since: int,
) -> list[ActRow]:
    """Acts in the order in which they were done, from the time `since` on."""
    where = (acts.c.number > after) & (acts.c.at >= since)
    asked = select(acts).where(where).order_by(acts.c.number).limit(most)
    if subject is not None:
        asked = asked.where(acts.c.subject == subject)
    if act is not None:
        asked = asked.where(acts.c.act == act)
    return [ActRow(*row) for row in connection.execute(asked)]
