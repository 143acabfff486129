"""A process of a hub that listens, and may not be ready yet."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.cluster import until
from tests.forking import started
from tests.running import RunningHub, environment_of


class Starting:
    """A process that listens and is not ready."""

    def __init__(
        self,
        directory: Path,
        database: str,
        command: str,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        named = {f"GUANTONG_{name.upper()}": value for name, value in (settings or {}).items()}
        self.directory = directory
        self.process = started(
            *(command, f"--data={directory}", "--listen=127.0.0.1:0"),
            environment={**environment_of(directory), "GUANTONG_DATABASE": database, **named},
        )
        # What it logs is read, so that it never waits for that.
        assert self.process.stderr is not None
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        until((directory / "hub.url").exists)
        self.url = (directory / "hub.url").read_text().strip()

    def ask(self, path: str) -> tuple[int, str | None, dict[str, Any]]:
        """Status, how long to wait, and answer."""
        answer = httpx.get(self.url + path, trust_env=False, verify=False)
        return answer.status_code, answer.headers.get("retry-after"), answer.json()

    def line(self) -> str:
        """What it says when it is ready."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def started(self) -> RunningHub:
        """The hub that it is, once it is ready."""
        assert "ready" in self.line()
        assert self.process.stdout is not None
        reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        reader.start()
        return RunningHub(self.directory, self.process, self.url, [], reader)

    def stop(self) -> int:
        """Ask it to stop; its status."""
        self.process.terminate()
        return self.process.wait()
