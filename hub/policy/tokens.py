"""Access tokens: random, kept as SHA-256, expiring, shown once.

A token has 256 random bits, so a plain digest is enough to keep; looking it up by digest leaks
nothing of use, and the digests are still compared in constant time.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

from hub.database.readers import Readers
from hub.policy import sql
from hub.policy.acts import Actor

PREFIX: Final = "gt_"
Role = Literal["system", "security", "auditor", "operator"]
Unfit = Literal["unknown", "expired", "revoked"]
ROLES: Final[frozenset[str]] = frozenset(get_args(Role))
REVOKED: Final = "令牌已被吊销，请申请新的 / the token was revoked, ask for a new one"
ENDED: Final = (
    "令牌已失效（被吊销、更换或到期），请申请新的"
    " / the token has ended (revoked, replaced or expired), ask for a new one"
)
# Of whoever is known otherwise: by its topic, by its subscription.
NO_TOKEN: Final = 0
_CACHED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an agency, or the bearer of a role. `token` is the token's number.

    Only the administrator's token of an embedded hub bears several roles: all.
    """

    token: int
    agency: str | None
    roles: frozenset[str]

    @property
    def name(self) -> str:
        """How records name the caller."""
        return owner_name(self.agency, self.roles)

    @property
    def actor(self) -> Actor:
        """Who the record of acts says it was."""
        return Actor(self.name, self.token)


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    caller: Caller
    expires_at: int


class Tokens:
    """Finds the caller of a token. Known tokens are kept until they expire or are forgotten.

    Those in force are known from the start: whoever spends the attempts of an address with bad
    tokens does not lock out the good ones behind it. `changed` is told when a token was revoked or
    ends earlier.
    """

    def __init__(self, readers: Readers, *, changed: Callable[[], None] = lambda: None) -> None:
        self._readers = readers
        self._changed = changed
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        # Look-ups under way, by digest.
        self._sought: dict[bytes, asyncio.Task[Caller | Unfit]] = {}
        self._changes = 0

    async def load(self, *, now: int) -> None:
        """Know the tokens in force, those used last if they are too many. Comes before callers,
        and again whenever another process has changed some.
        """
        in_force = partial(sql.tokens_in_force, now=now, most=_CACHED)
        changes = -1
        while changes != self._changes:
            # One that is forgotten meanwhile may have been read before.
            changes = self._changes = self._changes + 1
            rows = await self._readers.run(in_force)
        # The first that are forgotten are those that were used longest ago.
        self._known = OrderedDict((row.digest, _known(row)) for row in reversed(rows))
        self._sought.clear()

    def remembered(self, token: str, *, now: int) -> Caller | None:
        """The caller of a token that is known and good, without asking the database."""
        digest = digest_of(token)
        known = self._known.get(digest)
        if known is None or not hmac.compare_digest(known.digest, digest):
            return None
        return known.caller if known.expires_at > now else None

    async def find(self, token: str, *, now: int) -> Caller | Unfit:
        """The caller whose token this is, or why there is none."""
        digest = digest_of(token)
        seeking = self._sought[digest] = asyncio.create_task(self._find(digest, now))
        try:
            # Others may wait for the answer when the one who asked is gone.
            return await asyncio.shield(seeking)
        finally:
            if self._sought.get(digest) is seeking:
                del self._sought[digest]

    async def sought(self, token: str) -> Caller | Unfit | None:
        """What `find` is about to answer another who asks for the same token; None if nobody is."""
        seeking = self._sought.get(digest_of(token))
        return None if seeking is None else await asyncio.shield(seeking)

    async def _find(self, digest: bytes, now: int) -> Caller | Unfit:
        changes = self._changes
        row = await self._readers.run(partial(sql.token_by_digest, digest=digest))
        if row is None or not hmac.compare_digest(row.digest, digest):
            return "unknown"
        if row.revoked_at is not None:
            return "revoked"
        if row.expires_at <= now:
            return "expired"
        known = _known(row)
        # A change that came meanwhile may be of this very token: then it is not kept.
        if changes == self._changes:
            self._known[digest] = known
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return known.caller

    async def confirm(self, token: str, *, now: int) -> Caller | Unfit:
        """What the database says of a token now, whatever is remembered."""
        digest = digest_of(token)
        found = await self._find(digest, now)
        if not isinstance(found, Caller):
            self._known.pop(digest, None)
        return found

    def forget(self, digest: bytes) -> None:
        """Look the token up anew at its next use: it was revoked, or ends earlier."""
        self._changes += 1
        self._known.pop(digest, None)
        # Who asks from now on does not share what was read before.
        self._sought.pop(digest, None)
        self._changed()


def _known(row: sql.TokenRow) -> _Known:
    caller = Caller(token=row.number, agency=row.agency, roles=frozenset(row.roles.split()))
    return _Known(row.digest, caller, row.expires_at)


def owner_name(agency: str | None, roles: frozenset[str]) -> str:
    """How records name whose a token is."""
    return agency or "+".join(sorted(roles))


def new_token() -> str:
    """A fresh token, shown once to whom it is for."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
