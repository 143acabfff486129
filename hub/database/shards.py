"""Whose a shard is, on PostgreSQL: statements that take it, keep it and give it back.

Times are the database's, so that no other clock matters.
"""

from dataclasses import dataclass
from typing import Final

from hub.database.connection import Connection

# Milliseconds.
THIS_MOMENT: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"


@dataclass(frozen=True, slots=True)
class Taken:
    """The shard is the asker's, under this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Held:
    """It is somebody else's."""

    writer: str


def take(connection: Connection, shard: int, *, writer: str, silence: int) -> Taken | Held:
    """Take a shard that is nobody's, or whose writer has been silent for so many milliseconds.

    A beat that lies ahead is of a clock that was set back since, and says nothing.

    Waits for a transaction that has the shard stand still.
    """
    epoch = connection.exec_driver_sql(
        f"UPDATE shards SET epoch = epoch + 1, writer = ?, beat = {THIS_MOMENT} WHERE shard = ?"
        f" AND (writer = '' OR abs({THIS_MOMENT} - beat) > CAST(? AS bigint)) RETURNING epoch",
        (writer, shard, silence),
    ).scalar_one_or_none()
    if epoch is not None:
        return Taken(epoch)
    holder = connection.exec_driver_sql("SELECT writer FROM shards WHERE shard = ?", (shard,))
    return Held(holder.scalar_one())


def holder(connection: Connection, shard: int, *, silence: int) -> str:
    """Who has a shard and has not been silent for so many milliseconds; "" for nobody."""
    found = connection.exec_driver_sql(
        f"SELECT writer FROM shards WHERE shard = ? AND abs({THIS_MOMENT} - beat) <="
        " CAST(? AS bigint)",
        (shard, silence),
    )
    return found.scalar_one_or_none() or ""


def beat(connection: Connection, shard: int, *, epoch: int) -> bool:
    """Show that the shard's writer is alive; whether it still is that of `epoch`."""
    shown = connection.exec_driver_sql(
        f"UPDATE shards SET beat = {THIS_MOMENT} WHERE shard = ? AND epoch = ? AND writer <> ''",
        (shard, epoch),
    )
    return shown.rowcount == 1


def give_back(connection: Connection, shard: int, *, epoch: int) -> None:
    """Let the next take the shard at once, if it still is that of `epoch`."""
    connection.exec_driver_sql(
        "UPDATE shards SET writer = '' WHERE shard = ? AND epoch = ?", (shard, epoch)
    )
