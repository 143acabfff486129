"""`guantong up`: a whole hub in one process."""

import os
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter

from hub.app import embedded
from hub.cli.output import say
from hub.logs import logger
from hub.settings import Settings


def up(
    *,
    data: Annotated[Path, Parameter(help="数据目录 / data directory")] = Path("data"),
    listen: Annotated[str, Parameter(help="监听地址 HOST:PORT / address")] = "127.0.0.1:8470",
) -> None:
    """在一个进程中运行贯通（SQLite）。/ Run a whole hub in one process, on SQLite."""
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
            settings=Settings(),
            log=logger(),
            ready=lambda url: say(f"贯通已就绪 / ready: {url}  (data: {data})"),
        )
    )
