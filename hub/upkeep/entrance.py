"""What a hub leaves in its directory for commands of the machine: its address, and a token."""

from pathlib import Path
from typing import Final

from hub.database.lock import is_locked

ADMIN_TOKEN: Final = "admin.token"  # noqa: S105 (a file name)
HUB_URL: Final = "hub.url"


def entrance_of(directory: Path) -> tuple[str, str] | None:
    """The address of the hub that runs on a directory, and the token; None if none does."""
    try:
        url = (directory / HUB_URL).read_text().strip()
        token = (directory / ADMIN_TOKEN).read_text().strip()
    except FileNotFoundError:
        return None
    # After a kill the address is still there: whoever listens now must not get the token.
    return (url, token) if is_locked(directory) else None
