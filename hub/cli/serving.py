"""`guantong up`: a whole hub in one process."""

import os
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter
from pydantic import SecretStr

from hub.app import embedded
from hub.cli.output import say
from hub.logs import logger
from hub.settings import Settings


def up(
    *,
    data: Annotated[Path, Parameter(help="数据目录 / data directory")] = Path("data"),
    listen: Annotated[str, Parameter(help="监听地址 HOST:PORT / address")] = "127.0.0.1:8470",
    database: Annotated[
        str | None,
        Parameter(
            help="PostgreSQL 地址，含口令者宜用环境变量 GUANTONG_DATABASE"
            " / address of PostgreSQL; with a password, rather GUANTONG_DATABASE"
        ),
    ] = None,
) -> None:
    """在一个进程中运行贯通（SQLite 或 PostgreSQL）。
    / Run a whole hub in one process, on SQLite or PostgreSQL."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("--listen HOST:PORT")
    # The journal holds what agencies tell each other: its files are the owner's alone.
    os.umask(0o077)
    uvloop.run(
        embedded.run(
            data,
            host=host,
            port=int(port),
            settings=Settings() if database is None else Settings(database=SecretStr(database)),
            log=logger(),
            ready=lambda url: say(f"贯通已就绪 / ready: {url}  (data: {data})"),
        )
    )
