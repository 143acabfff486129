"""`guantong database`: where a hub keeps its data."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import SecretStr
from rich.console import Console

from hub.app.ground import microseconds_now
from hub.cli.output import AsJson, say, show_json, show_table
from hub.errors import DatabaseAddress
from hub.settings import Settings

database = App(name="database")
_SHOWN = 16


@database.command
def move(
    *,
    data: Annotated[Path, Parameter(help="本机数据目录，贯通须已停止 / of a hub that is stopped")],
    to: Annotated[
        SecretStr | None,
        Parameter(
            help="PostgreSQL 空库的地址；命令行中的口令他人可见，宜用环境变量 GUANTONG_DATABASE"
            " / address of an empty database; others see a password here: rather GUANTONG_DATABASE"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """把 SQLite 上的贯通移到 PostgreSQL，逐表核对。
    / Move a hub from SQLite to PostgreSQL, and prove every table."""
    # Whoever has one machine needs no driver for another.
    from hub.upkeep.moving import move as move_database

    address = to or Settings().database
    if address is None:
        raise DatabaseAddress
    with Console(stderr=True).status("移库 / moving") as status:
        moved = move_database(
            data,
            address.get_secret_value(),
            now=microseconds_now(),
            progress=lambda what, table, rows: status.update(f"{what} {table} {rows:,}"),
        )
    if as_json:
        show_json(asdict(moved))
        return
    show_table(
        ("表 / table", "行 / rows", "SHA-256"),
        [(each.table, f"{each.rows:,}", each.digest[:_SHOWN]) for each in moved.tables],
    )
    say(f"已移到 / moved to: {moved.to}")
    say(f"设置 GUANTONG_DATABASE 后启动 / set it, then start: guantong up --data {data}")
    say("原数据库保留未动，不再使用；令牌、游标、回执照旧有效")
    say("the old database is kept as it is, unused; tokens, cursors and receipts stay good")
