"""What lies beside a backup's database and says what must be in it."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.database.connection import Connection
from hub.database.migrating import revision_of
from hub.errors import BackupInvalid
from hub.event import pack, rfc3339
from hub.upkeep import sql
from hub.upkeep.selfcheck import fingerprint

MANIFEST: Final = "manifest.json"
MOST_MANIFEST: Final = 1024 * 1024
_PIECE: Final = 1024 * 1024
# The file of a code list in a backup.
LISTED: Final = re.compile(r"[a-z0-9_]{1,80}\.csv")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class File(_Part):
    """A file of the backup."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Shard(_Part):
    """Where a shard ended: its last number, and its hubtime."""

    shard: Annotated[int, Field(ge=0)]
    number: Annotated[int, Field(ge=0)]
    hubtime: str

    @property
    def last(self) -> int:
        """The last position, packed."""
        return pack(self.shard, self.number)


class Contents(_Part):
    """What the database says of itself: `journal` is the SHA-256 over positions and digests."""

    revision: str
    shards: Annotated[list[Shard], Field(min_length=1)]
    events: Annotated[int, Field(ge=0)]
    journal: Sha256


class Manifest(_Part):
    """The manifest of a backup; `version` is that of the program that made it.

    `codes`: the installation's own code lists, file by file; a backup of before they were kept has
    none.
    """

    format: Literal[1]
    version: str
    made_at: str
    contents: Contents
    database: File
    codes: dict[Annotated[str, Field(pattern=f"^{LISTED.pattern}$")], File] = {}


def contents_of(connection: Connection) -> Contents:
    """What a database holds. Reads the whole journal."""
    events, digest = fingerprint(connection)
    return Contents(
        revision=revision_of(connection) or "",
        shards=[
            Shard(
                shard=each.shard,
                number=each.next_number - 1,
                hubtime=rfc3339(each.hubtime),
            )
            for each in sql.standings(connection)
        ],
        events=events,
        journal=digest,
    )


def read_manifest(backup: Path) -> Manifest:
    """The manifest of a backup. Raises BackupInvalid."""
    try:
        with (backup / MANIFEST).open("rb") as file:
            return Manifest.model_validate_json(file.read(MOST_MANIFEST))
    except FileNotFoundError as missing:
        raise BackupInvalid(f"{backup}: 没有 {MANIFEST} / no {MANIFEST}") from missing
    except ValidationError as invalid:
        raise BackupInvalid(f"{backup / MANIFEST}: 无法识别 / cannot be read") from invalid


def digest_of(file: Path) -> File:
    """The size and the SHA-256 of a file."""
    size, digest = 0, hashlib.sha256()
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return File(bytes=size, sha256=digest.hexdigest())
