"""Reading and changing who may read what, one after the other, whichever processes do either.

A record of what was read holds the lock together with other readers until it is committed, and a
change of the policy or the end of a token waits for them; so whoever reads after the change was
acknowledged finds it. SQLite has one writing transaction at a time anyway.
"""

from typing import Final

from hub.database.connection import Connection, fetched, is_sqlite

_LOCK: Final = 0x67756174


def hold_access(connection: Connection) -> None:
    """Have the policy and the tokens stand as they are until this transaction ends.

    A statement of its own: the next one sees whatever was committed before the lock was had.
    """
    if not is_sqlite(connection):
        fetched(connection, "SELECT pg_advisory_xact_lock_shared(?)", (_LOCK,))


def change_access(connection: Connection) -> None:
    """Come after whoever holds access, and before whoever asks for it until the end of this
    transaction.
    """
    if not is_sqlite(connection):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
