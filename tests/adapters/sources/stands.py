"""What sources bring from in tests: a stand for each, where documents are put in order."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapters.kit.port import Outcome, Source
from adapters.kit.sources.folder import FolderSettings

CLEAN = Outcome(read=1, accepted=1, duplicate=0, rejected=0, complete=True, answers=())


class Stand(Protocol):
    """Where one source brings from."""

    def opened(self) -> AbstractContextManager[Source]:
        """The source, as a process opens it."""
        ...

    def put(self, mark: str) -> None:
        """One more document, which says this mark and no other."""
        ...

    def leave(self) -> None:
        """Be not there, until `come_back`."""
        ...

    def come_back(self) -> None: ...


@dataclass
class FolderStand:
    """A drop folder."""

    base: Path
    put_so_far: int = field(default=0)

    def opened(self) -> AbstractContextManager[Source]:
        return FolderSettings(path=Path("drop"), quiet=0).opened(self.base)

    def put(self, mark: str) -> None:
        self.put_so_far += 1
        folder = self.base / "drop"
        folder.mkdir(exist_ok=True)
        (folder / "export.tmp").write_text(f"mark\n{mark}\n", encoding="utf-8")
        # All at one moment of the clock: the names tell the order.
        (folder / "export.tmp").rename(folder / f"{self.put_so_far:03d}.csv")

    def leave(self) -> None:
        os.rename(self.base / "drop", self.base / "away")

    def come_back(self) -> None:
        os.rename(self.base / "away", self.base / "drop")
