"""A hub in several processes on one PostgreSQL database."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import TypeVar

import httpx

from tests.running import PATIENCE, AgencyClient, RunningHub, start_hub

DOORS = ("a", "b")
WORKS = ("v", "w")
T = TypeVar("T")
# Between two looks, seconds.
LOOKS = 0.02
_NEVER = Event()


def until(look: Callable[[], T | None]) -> T:
    """What a look finds, as soon as it finds something."""
    began = perf_counter()
    while perf_counter() - began < PATIENCE:
        found = look()
        if found:
            return found
        # What is waited for runs on the same few processors.
        _NEVER.wait(LOOKS)
    raise AssertionError(f"not within {PATIENCE} s")


@dataclass
class Cluster:
    """The processes of a hub by name: doors `a` and `b`, of `v` and `w` one writes.

    Each has an address of the database; `settings` are everybody's; `program` is the module that
    is the command line.
    """

    folder: Path
    addresses: Mapping[str, str]
    program: str = "hub"
    settings: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, RunningHub] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start processes, all at once, on the directories that they may have had."""
        with ThreadPoolExecutor(len(names)) as threads:
            for name, hub in zip(names, threads.map(self._start, names), strict=True):
                self.running[name] = hub

    def at(self, door: str, agency: str, *, timeout: float = PATIENCE) -> AgencyClient:
        """What an agency does at a door; its token was issued at the door `a`."""
        token = self.running["a"].token(agency)
        return AgencyClient(agency, self.running[door].client(token, timeout=timeout))

    def writer(self) -> str:
        """The process that writes, once one does."""
        return until(lambda: next((n for n in WORKS if self.role(n) == "writer"), None))

    def role(self, name: str) -> str | None:
        """What a process says of itself; None when it does not answer."""
        try:
            answer = httpx.get(
                f"{self.running[name].url}/health/ready", timeout=2, trust_env=False, verify=False
            )
        except httpx.TransportError:
            return None
        role: str | None = answer.json().get("role")
        return role

    def standby(self) -> str:
        """The process that stands by."""
        return until(lambda: next((n for n in WORKS if self.role(n) == "standby"), None))

    def end(self) -> None:
        """kill -9 of all that runs."""
        for hub in self.running.values():
            if hub.process.poll() is None:
                hub.kill()

    def _start(self, name: str) -> RunningHub:
        command = "serve" if name in DOORS else "work"
        started = start_hub(
            self.folder / name,
            settings={"database": self.addresses[name], **self.settings},
            command=command,
            program=self.program,
        )
        if name in self.running:
            started.keep_tokens(self.running[name])
        return started
