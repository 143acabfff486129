"""Access tokens: random, kept as SHA-256, expiring, shown once.

A token has 256 random bits, so a plain digest is enough to keep; looking it up by digest leaks
nothing of use, and the digests are still compared in constant time.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Final

from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.errors import Unauthenticated
from hub.policy import sql

PREFIX: Final = "gt_"
ROLES: Final = frozenset({"system", "security", "auditor", "operator"})
_CACHED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an agency, or a bearer of roles, or both. `token` is the token's number."""

    token: int
    agency: str | None
    roles: frozenset[str]

    @property
    def name(self) -> str:
        """How records name the caller."""
        return self.agency or "+".join(sorted(self.roles))


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    caller: Caller
    expires_at: int


class Tokens:
    """Finds the caller of a token. Known tokens are kept until they expire or are forgotten."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._revocations = 0

    async def caller(self, token: str, *, now: int) -> Caller:
        """The caller whose token this is. Raises Unauthenticated."""
        digest = digest_of(token)
        known = self._known.get(digest) or await self._look_up(digest)
        if not hmac.compare_digest(known.digest, digest) or known.expires_at <= now:
            raise Unauthenticated
        return known.caller

    def forget(self, digest: bytes) -> None:
        """Look the token up anew at its next use: it was revoked."""
        self._revocations += 1
        self._known.pop(digest, None)

    async def _look_up(self, digest: bytes) -> _Known:
        revocations = self._revocations
        row = await self._readers.run(partial(sql.token_by_digest, digest=digest))
        if row is None or row.revoked_at is not None:
            raise Unauthenticated
        caller = Caller(token=row.number, agency=row.agency, roles=frozenset(row.roles.split()))
        known = _Known(digest=row.digest, caller=caller, expires_at=row.expires_at)
        # A revocation that came meanwhile may be of this very token: then it is not kept.
        if revocations == self._revocations:
            self._known[digest] = known
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, shown once; `expires` in microseconds UTC."""

    token: str
    number: int
    expires: int


def issue(
    connection: Connection, *, agency: str | None, roles: frozenset[str], now: int, seconds: int
) -> Issued:
    """Make a token for an agency, for roles, or for both."""
    token = new_token()
    expires = now + seconds * 1_000_000
    number = sql.insert_token(
        connection,
        digest=digest_of(token),
        agency=agency,
        roles=" ".join(sorted(roles)),
        now=now,
        expires=expires,
    )
    return Issued(token, number, expires)


def renew_admin(connection: Connection, *, now: int, seconds: int) -> Issued:
    """Make the administrator's token; those made before it end."""
    sql.revoke_roles(connection, now=now)
    return issue(connection, agency=None, roles=ROLES, now=now, seconds=seconds)


def new_token() -> str:
    """A fresh token, shown once to whom it is for."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
