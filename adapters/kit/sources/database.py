"""Databases of agencies: where one is, and what went wrong there."""

import sqlite3
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError
from sqlalchemy.exc import OperationalError as Failed
from sqlalchemy.pool import NullPool

from adapters.kit.port import Away, CannotRun
from adapters.kit.sources.files import secret

_SQLITE_AWAY: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)


class Database(BaseModel):
    """The URL is SQLAlchemy's, in a file of mode 0600 where it has a password; the path of an
    SQLite file starts at the folder of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr | None = None
    url_file: Path | None = None

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("url or url_file, one of the two")
        return self

    def address(self, base: Path) -> URL:
        """Raises CannotRun for what is no address, or a file that others can read."""
        written = self.url.get_secret_value() if self.url else ""
        if self.url_file is not None:
            written = secret(base / self.url_file)
        try:
            url = make_url(written)
        except ArgumentError:
            raise CannotRun("数据库地址不是 SQLAlchemy 的 URL，请核对 url 或 url_file") from None
        if url.get_backend_name() == "sqlite" and url.database:
            return url.set(database=str(base / url.database))
        return url


def engine_at(url: URL) -> Engine:
    """Connects when it is used. Raises CannotRun for a dialect or driver that is not there."""
    registry.register("kingbase.psycopg", "adapters.kit.sources.kingbase", "Kingbase")
    try:
        # What a statement was given, or answers, is case data and stays out of every message.
        return create_engine(url, poolclass=NullPool, hide_parameters=True)
    except NoSuchModuleError:
        raise CannotRun(f"数据库类型 {url.drivername} 没有对应的 SQLAlchemy 方言") from None
    except ModuleNotFoundError as error:
        raise CannotRun(f"缺少数据库驱动 {error.name}，请先安装") from None
    except ImportError:
        told = "的方言与所装的 SQLAlchemy 版本不合，请见 adapters/kit/sources/README.md"
        raise CannotRun(f"{url.drivername} {told}") from None


def told(error: DBAPIError, refused: str, look_at: str = "表名、列名和权限") -> Away | CannotRun:
    """What went wrong, without what was asked or answered; `refused` is what the database will not
    do, and `look_at` what may be wrong, if waiting does not help."""
    orig = error.orig
    kind, state = type(orig).__name__, getattr(orig, "sqlstate", None)
    named = f"{kind} {state}" if state else kind
    if isinstance(orig, sqlite3.Error):
        away = getattr(orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_AWAY
    else:
        away = error.connection_invalidated or isinstance(error, Failed | InterfaceError)
    if away:
        return Away(f"数据库暂不可用（{named}）")
    return CannotRun(f"数据库拒绝{refused}（{named}），请核对{look_at}")
