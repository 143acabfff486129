"""What sources bring from in tests: a stand for each, where documents are put in order."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import httpx
import psycopg
from pydantic import SecretStr

from adapters.kit.port import Outcome, Source
from adapters.kit.sources.folder import FolderSettings
from adapters.kit.sources.http import HttpSettings
from adapters.kit.sources.paging import ByPage
from adapters.kit.sources.sql import SqlSettings
from adapters.kit.sources.webhook import WebhookSettings
from tests.adapters.sources.interface import Answer, Asked, Interface

CLEAN = Outcome(read=1, accepted=1, duplicate=0, rejected=0, complete=True, answers=())


class Stand(Protocol):
    """Where one source brings from."""

    def opened(self) -> AbstractContextManager[Source]:
        """The source, as a process opens it."""
        ...

    def put(self, mark: str) -> None:
        """One more document, which says this mark and no other."""
        ...


@runtime_checkable
class LeavingStand(Stand, Protocol):
    """Where what is brought from can be away."""

    def leave(self) -> None:
        """Be not there, until `come_back`."""
        ...

    def come_back(self) -> None: ...


@dataclass
class FolderStand:
    """A drop folder."""

    base: Path
    put_so_far: int = 0

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


@dataclass
class SqlStand:
    """A table, each row of which is a document."""

    base: Path
    url: str = "sqlite:///agency.db"
    put_so_far: int = 0

    def __post_init__(self) -> None:
        self.run("CREATE TABLE v_xfj (id INTEGER PRIMARY KEY, gxsj TIMESTAMP, gkxx TEXT)")

    def opened(self) -> AbstractContextManager[Source]:
        settings = SqlSettings(
            url=SecretStr(self.url),
            table="v_xfj",
            columns=("id", "gkxx"),
            changed="gxsj",
            key="id",
            batch=1,
        )
        return settings.opened(self.base)

    def put(self, mark: str) -> None:
        self.put_so_far += 1
        values = f"{self.put_so_far}, '2026-10-03 09:00:00', '{mark}'"
        self.run(f"INSERT INTO v_xfj VALUES ({values})")

    def run(self, statement: str) -> None:
        """A statement in a transaction of its own."""
        with closing(sqlite3.connect(self.base / "agency.db")) as database, database:
            database.execute(statement)

    def leave(self) -> None:
        os.rename(self.base / "agency.db", self.base / "away.db")

    def come_back(self) -> None:
        os.rename(self.base / "away.db", self.base / "agency.db")


@dataclass
class PostgresStand(SqlStand):
    """The same in a database of PostgreSQL's."""

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as database:
            database.execute(statement)

    def leave(self) -> None:
        self._let("false")

    def come_back(self) -> None:
        self._let("true")

    def _let(self, come: str) -> None:
        server, _, name = self.url.replace("+psycopg", "").rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as database:
            database.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {come}")


@dataclass
class HttpStand:
    """An interface with pages of one item each."""

    base: Path
    interface: Interface
    items: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.come_back()

    def opened(self) -> AbstractContextManager[Source]:
        paging = ByPage(by="page", size=1)
        settings = HttpSettings(url=f"{self.interface.url}/xfj", paging=paging, items="list")
        return settings.opened(self.base)

    def put(self, mark: str) -> None:
        self.items.append(mark)

    def leave(self) -> None:
        self.interface.answer = lambda asked: Answer(None)

    def come_back(self) -> None:
        self.interface.answer = self._page

    def _page(self, asked: Asked) -> Answer:
        page = int(asked.parameters["page"])
        return Answer(200, json.dumps({"list": self.items[page - 1 : page]}).encode())


@dataclass
class WebhookStand:
    """A door, to which callers come only while it is open."""

    base: Path
    port: int
    is_open: bool = False

    def __post_init__(self) -> None:
        written(self.base / "token", "t0ken")
        self.url = f"http://127.0.0.1:{self.port}/push"

    @contextmanager
    def opened(self) -> Iterator[Source]:
        settings = WebhookSettings(
            listen=f"127.0.0.1:{self.port}",
            path="/push",
            inbox=Path("inbox"),
            token_file=Path("token"),
        )
        with settings.opened(self.base) as source:
            self.is_open = True
            yield source
            self.is_open = False

    def put(self, mark: str) -> None:
        with nullcontext() if self.is_open else self.opened():
            headers = {"Authorization": "Bearer t0ken"}
            answer = httpx.post(
                self.url, content=mark.encode(), headers=headers, trust_env=False, verify=False
            )
        assert answer.status_code == 202


def written(path: Path, text: str) -> Path:
    """A file for its owner alone."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path
