"""The demo's hub: a process of its own, or a cluster, and what its administrator does."""

import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from prometheus_client.parser import text_string_to_metric_families

from adapters.kit.client import HubClient
from deploy.demo.kept import kept
from deploy.local.cluster import Brokers, Cluster, cluster

if TYPE_CHECKING:
    from deploy.demo.topic import Topic


@dataclass(frozen=True)
class Hub:
    """A running hub: where agencies publish, where they read, the administrator's token's file.

    `processes` are all of it, `cluster` what is around them.
    """

    publishing: str
    reading: str
    admin_token: Path
    processes: tuple[subprocess.Popen[str], ...]
    cluster: Cluster | None = None

    @property
    def admin(self) -> str:
        """The administrator's token."""
        return self.admin_token.read_text().strip()

    def apply(self, file: Path) -> None:
        """Put a policy file in force."""
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        with HubClient(self.publishing, self.admin) as client:
            client.put_policy({**document, "reason": "演示"}, client.get_policy().etag)
        if self.cluster is not None:
            self.cluster.provision()

    def token(self, agency: str) -> str:
        """A token of the agency."""
        with HubClient(self.publishing, self.admin) as client:
            return str(client.issue_token(agency)["token"])

    def topic_of(self, agency: str) -> "Topic | None":
        """The agency's topic, for a client of Kafka's; None where there is no Kafka."""
        if self.cluster is None or self.cluster.kafka is None:
            return None
        # The demo on one machine needs no library for it.
        from deploy.demo.topic import Topic

        return Topic(self.cluster.kafka.bootstrap, agency, self.cluster.password(agency))

    def denied(self) -> Counter[tuple[str, str]]:
        """What was not handed over, by agency and step, as the metrics of its door count it."""
        headers = {"Authorization": f"Bearer {self.admin}"}
        text = httpx.get(f"{self.reading}/metrics", headers=headers, trust_env=False).text
        found: Counter[tuple[str, str]] = Counter()
        for family in text_string_to_metric_families(text):
            if family.name == "guantong_events_denied":
                for sample in family.samples:
                    if sample.name.endswith("_total"):
                        key = sample.labels["agency"], sample.labels["step"]
                        found[key] = int(sample.value)
        return found

    def wait(self) -> None:
        """Until the hub ends."""
        for process in self.processes:
            process.wait()


@contextmanager
def started_as_cluster(directory: Path, *, brokers: Brokers) -> Iterator[Hub]:
    """Start PostgreSQL, brokers of Kafka, two doors, a writer and a standby; all end with it.

    Raises PostgresFailed, KafkaFailed or ClusterFailed.
    """
    with cluster(directory, brokers=brokers) as made:
        processes = tuple(member.process for member in made.members)
        yield Hub(made.doors[0].url, made.doors[-1].url, made.admin_token, processes, made)


@contextmanager
def started(directory: Path) -> Iterator[Hub]:
    """Start a hub on a free port; it is stopped with the block. Its log goes beside its data."""
    directory.mkdir(parents=True)
    with (directory.parent / "hub.log").open("w") as log:
        process = subprocess.Popen(
            [
                *(*kept(), sys.executable, "-m", "hub", "up"),
                *(f"--data={directory}", "--listen=127.0.0.1:0"),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # A Ctrl-C at the terminal is for the demo to answer.
            process_group=0,
        )
        assert process.stdout is not None
        print(process.stdout.readline().strip())
        try:
            url = (directory / "hub.url").read_text().strip()
            yield Hub(url, url, directory / "admin.token", (process,))
        finally:
            process.terminate()
            process.wait()
