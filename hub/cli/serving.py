"""`up`: a whole hub in one process; `serve` and `work`: the parts of one in several."""

import os
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter
from pydantic import SecretStr

from hub.app.listening import Part, run
from hub.cli.output import say
from hub.logs import logger
from hub.settings import Settings

Data = Annotated[Path, Parameter(help="数据目录 / data directory")]
Database = Annotated[
    str | None,
    Parameter(
        help="PostgreSQL 地址，含口令者宜用环境变量 GUANTONG_DATABASE"
        " / address of PostgreSQL; with a password, rather GUANTONG_DATABASE"
    ),
]


def up(
    *,
    data: Data = Path("data"),
    listen: Annotated[str, Parameter(help="监听地址 HOST:PORT / address")] = "127.0.0.1:8470",
    database: Database = None,
) -> None:
    """Until a signal; a line says when it is ready."""
    # Each process loads its own part alone.
    from hub.app.embedded import embedded

    _run(embedded, data, listen, database)


def serve(
    *,
    data: Data = Path("data"),
    listen: Annotated[str, Parameter(help="监听地址 HOST:PORT / address")] = "127.0.0.1:8470",
    database: Database = None,
) -> None:
    """Until a signal; a line says when it is ready."""
    from hub.app.serving import serving

    _run(serving, data, listen, database)


def work(
    *,
    data: Data = Path("work"),
    listen: Annotated[
        str, Parameter(help="指标与健康检查的地址 / address of metrics and health")
    ] = "127.0.0.1:8471",
    database: Database = None,
) -> None:
    """Until a signal; a line says when it is ready."""
    from hub.app.working import working

    _run(working, data, listen, database)


def _run(part: Part, data: Path, listen: str, database: str | None) -> None:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("--listen HOST:PORT")
    # The journal holds what agencies tell each other: its files are the owner's alone.
    os.umask(0o077)
    uvloop.run(
        run(
            part,
            data,
            host=host,
            port=int(port),
            settings=Settings() if database is None else Settings(database=SecretStr(database)),
            log=logger(),
            ready=lambda url: say(f"贯通已就绪 / ready: {url}  (data: {data})"),
        )
    )
