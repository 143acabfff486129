"""This hub's keys, which stand in its database: what hashes parties and signs cursors."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from hub.database.tables import secrets


def keys_of(connection: Connection) -> dict[str, bytes]:
    """This hub's keys, by name."""
    return {name: value for name, value in connection.execute(select(secrets))}


def retired_cursor_keys(keys: Mapping[str, bytes]) -> dict[bytes, int]:
    """Of a hub's keys, those that signed cursors before a restore, and how far each is good."""
    return {
        key: int(name.split("-")[1]) for name, key in keys.items() if name.startswith("cursors-")
    }
