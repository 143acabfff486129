"""The administrator's token: made with the first hub of a database, left for its machine."""

from functools import partial
from pathlib import Path
from typing import Final

from hub.database.connection import Connection
from hub.database.order import ACCESS
from hub.database.writer import Writer
from hub.policy import issuing
from hub.upkeep.entrance import ADMIN_TOKEN
from hub.upkeep.files import write_whole

ADMIN_SECONDS: Final = 365 * 24 * 3600


async def ensure_admin_token(directory: Path, writer: Writer, *, now: int) -> None:
    """Write a token with all roles on the first start, readable by the owner alone."""
    path = directory / ADMIN_TOKEN
    if path.exists() and path.read_text().strip():
        return
    renew = partial(issuing.renew_admin, now=now, seconds=ADMIN_SECONDS)
    issued = await writer.submit(renew, locks=(ACCESS,))
    # A kill must not leave an empty file that the next start believes.
    write_whole(path, issued.token + "\n")


async def first_admin_token(directory: Path, writer: Writer, *, now: int) -> None:
    """Write a token with all roles if the database has none yet.

    Doors of one database must not end each other's: where there is one, it is brought along. Nobody
    could enter a hub whose only token was lost with its door, so it is written before it is good.
    """
    first = partial(_make_first, path=directory / ADMIN_TOKEN, now=now)
    await writer.submit(first, locks=(ACCESS,))


def _make_first(connection: Connection, *, path: Path, now: int) -> None:
    issued = issuing.first_admin(connection, now=now, seconds=ADMIN_SECONDS)
    if issued is not None:
        write_whole(path, issued.token + "\n")
