"""The policy's and the tokens' statements."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from hub.database.tables import policies, tokens
from hub.policy.document import PolicyDocument


def newest_version(connection: Connection) -> tuple[int, int]:
    """The version in force and its time: a number alone may come back after a failed commit."""
    row = connection.exec_driver_sql(
        "SELECT version, changed_at FROM policies ORDER BY version DESC LIMIT 1"
    ).one()
    return row[0], row[1]


def document(connection: Connection, version: int) -> PolicyDocument:
    """The document of one version; it was checked when it was applied."""
    text = connection.execute(
        select(policies.c.document).where(policies.c.version == version)
    ).scalar_one()
    return PolicyDocument.model_validate_json(text)


def append_version(
    connection: Connection,
    *,
    version: int,
    document: PolicyDocument,
    by: str,
    reason: str,
    now: int,
) -> None:
    """Put a new version in force."""
    connection.execute(
        insert(policies).values(
            version=version,
            document=document.model_dump_json(by_alias=True, exclude_none=True),
            changed_by=by,
            reason=reason,
            changed_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is kept. `agency` None: a token of roles only."""

    number: int
    digest: bytes
    agency: str | None
    roles: str
    expires_at: int
    revoked_at: int | None


_TOKEN = (
    tokens.c.number,
    tokens.c.digest,
    tokens.c.agency,
    tokens.c.roles,
    tokens.c.expires_at,
    tokens.c.revoked_at,
)


def token_by_digest(connection: Connection, digest: bytes) -> TokenRow | None:
    """The token whose SHA-256 is `digest`."""
    row = connection.execute(select(*_TOKEN).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else TokenRow(*row)


def insert_token(
    connection: Connection, *, digest: bytes, agency: str | None, roles: str, now: int, expires: int
) -> int:
    """Keep a new token; its number."""
    made = insert(tokens).values(
        digest=digest, agency=agency, roles=roles, created_at=now, expires_at=expires
    )
    number: int = connection.execute(made.returning(tokens.c.number)).scalar_one()
    return number


def revoke_token(connection: Connection, *, agency: str, number: int, now: int) -> bytes | None:
    """Revoke an agency's token; its digest, None when there is no such token in force."""
    where = (
        (tokens.c.agency == agency) & (tokens.c.number == number) & tokens.c.revoked_at.is_(None)
    )
    row = connection.execute(select(tokens.c.digest).where(where)).one_or_none()
    if row is None:
        return None
    connection.execute(update(tokens).where(where).values(revoked_at=now))
    digest: bytes = row[0]
    return digest


def revoke_roles(connection: Connection, *, now: int) -> None:
    """Revoke every token that belongs to no agency."""
    where = tokens.c.agency.is_(None) & tokens.c.revoked_at.is_(None)
    connection.execute(update(tokens).where(where).values(revoked_at=now))


def tokens_in_force(connection: Connection, *, now: int) -> int:
    """How many tokens are neither expired nor revoked."""
    where = tokens.c.revoked_at.is_(None) & (tokens.c.expires_at > now)
    return connection.execute(select(func.count()).select_from(tokens).where(where)).scalar_one()
