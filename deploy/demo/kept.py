"""Processes that end with the demo, however it ends."""

import shutil


def kept() -> tuple[str, ...]:
    """What stands before their commands; nothing where a machine has no setpriv (of util-linux).
    A hub and an adapter lose nothing by being killed, and nobody is left to wait for their end."""
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig=KILL")
