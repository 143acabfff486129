"""`guantong status`: who speaks, who is silent, who lags, what is refused; live in a terminal."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from adapters.kit.client import HubClient
from hub.cli.board import Sort, board
from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, show_json

LEAST_INTERVAL: Final = 1.0
_KEYS: Final[dict[str, Sort]] = {"s": "silence", "l": "lag", "r": "refused", "a": "agency"}
_HINT: Final = "s 静默 silence  l 未读 lag  r 退回 refused  a 机构 agency  q 退出 quit"


def status(
    *,
    sort: Annotated[Sort, Parameter(help="排序：静默、未读、退回、机构 / what comes first")] = (
        "silence"
    ),
    interval: Annotated[float, Parameter(help="刷新间隔，秒 / seconds between looks")] = 5.0,
    once: Annotated[bool, Parameter(negative=(), help="只显示一次 / show it once")] = False,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """Live in a terminal, else once."""
    if interval < LEAST_INTERVAL:
        raise ValueError(f"--interval 至少 {LEAST_INTERVAL:g} 秒 / at least that many seconds")
    console = Console()
    with connected(where) as client:
        if as_json:
            show_json(client.status())
        elif once or not console.is_terminal:
            console.print(board(client.status(), sort=sort, width=console.width))
        else:
            _watch(client, console, sort=sort, interval=interval)


def _watch(client: HubClient, console: Console, *, sort: Sort, interval: float) -> None:
    """Show the state again and again until q or Ctrl-C."""
    try:
        with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                size = console.size
                room = size.height - 1
                picture = board(client.status(), sort=sort, width=size.width, height=room)
                live.update(Group(Text(_HINT, style="dim"), picture), refresh=True)
                key = pressed(interval)
                if key == "q":
                    return
                sort = _KEYS.get(key, sort)
    except KeyboardInterrupt:
        return


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """What gives the key pressed within some seconds, or nothing; `q` when the terminal is gone."""
    if not sys.stdin.isatty():
        yield _no_key
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        return (os.read(descriptor, 1).decode("latin-1") or "q") if ready else ""

    tty.setcbreak(descriptor)
    try:
        yield pressed
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _no_key(seconds: float) -> str:
    select.select([], [], [], seconds)
    return ""
