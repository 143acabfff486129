"""Fixtures: a hub in its own process with a city's policy, one for each test module; PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.local.kafka import KafkaCluster
from deploy.local.postgres import PostgresServer
from tests import carried
from tests.forking import loaded_once
from tests.kafka import shared_cluster
from tests.postgres import fresh_database, shared_server
from tests.running import RunningHub, hubs_on, running_hub
from tests.sample import policy

pytest_plugins = ["tests.backends", "tests.dealing"]

# Every run draws the same, on a machine as slow as it likes; `make soak` looks further.
settings.register_profile(
    "test",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "soak", settings.get_profile("test"), derandomize=False, max_examples=2_000
)
settings.load_profile("test")


@pytest.fixture(scope="session", autouse=True)
def _loaded() -> Iterator[None]:
    with loaded_once():
        yield


@pytest.fixture(scope="module", autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the hubs of a module's tests stand on."""
    name: str = getattr(request, "param", "sqlite")
    if name == "sqlite":
        yield name
    else:
        brokers = request.getfixturevalue("brokers") if name == "kafka" else None
        with hubs_on(request.getfixturevalue("postgres"), brokers):
            yield name


@pytest.fixture(scope="module")
def hub(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that the tests of a module share: each uses events and subscriptions of its own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        running.apply(policy())
        yield running


@pytest.fixture
def fresh_hub(backend: str, tmp_path: Path) -> Iterator[RunningHub]:
    """A hub of the test's own."""
    with running_hub(tmp_path / "data") as running:
        running.apply(policy())
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that all tests of a process share."""
    with shared_server() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def brokers() -> Iterator[carried.Brokers]:
    """Brokers for the hubs of a process's tests, each of which has one for itself."""
    with carried.brokers() as made:
        yield made


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaCluster]:
    """One broker that all tests of a process share."""
    with shared_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[KafkaCluster]:
    """One broker where users log in and need ACLs, shared by all tests of a process."""
    with shared_cluster(secured=True) as cluster:
        yield cluster
