"""`python -m tests.faults.clock COMMAND…`: a hub's command on a machine whose clock jumps.

SIGUSR1 puts its time of day an hour ahead, SIGUSR2 an hour back.
"""

import signal
import time
from collections.abc import Callable
from typing import Final

HOUR: Final = 3600 * 10**9
AHEAD: Final = signal.SIGUSR1
BACK: Final = signal.SIGUSR2


class Clock:
    """The machine's time of day, and how far it has jumped, nanoseconds."""

    def __init__(self, real: Callable[[], int]) -> None:
        self._real = real
        self._jumped = 0

    def now(self) -> int:
        """As `time.time_ns`."""
        return self._real() + self._jumped

    def jump(self, sign: int, _frame: object) -> None:
        """As a signal says."""
        self._jumped += HOUR if sign == AHEAD else -HOUR


def main() -> None:
    """The command line of a hub, in which the clock is this one."""
    clock = Clock(time.time_ns)
    time.time_ns = clock.now
    time.time = lambda: clock.now() / 10**9
    for sign in (AHEAD, BACK):
        signal.signal(sign, clock.jump)

    from hub.cli.commands import main as command

    command()


if __name__ == "__main__":
    main()
