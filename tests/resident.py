"""How much memory a process has held."""

from pathlib import Path


def most_resident() -> int:
    """The most that this process had in memory, KiB. Not `ru_maxrss`: in that a child has what its
    parent held when it began."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1])
