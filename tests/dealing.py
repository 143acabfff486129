"""How a parallel run is dealt out: file by file, and the files that share brokers to one process.

So their brokers are started once in a run, not once in each process. They come first: together
they take longest, and whoever ends last is waited for. All that need brokers of Kafka are marked
`brokers`, and what lies in the folders whose tests take longest `long`: `make test` leaves them to
`make test-kafka` and `make test-long`.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Those whose tests ask for a broker that anybody may ask, or for the secured one.
ASKING = frozenset(
    f"tests/{name}.py"
    for name in (
        "adapters/sources/test_kafka",
        "e2e/test_kafka_commands",
        "e2e/test_kafka_door",
        "e2e/test_kafka_feeds",
        "e2e/test_kafka_login",
        "e2e/test_kafka_rights",
        "e2e/test_local_kafka",
        "e2e/test_outside_clients",
        "e2e/test_producing",
        "e2e/test_reach",
        "spec/test_kafka_door",
        "spec/test_kafka_feeds",
    )
)
# Those whose hubs each have a broker for themselves, and leave it to the next.
CARRIED = frozenset(
    f"tests/spec/{name}.py"
    for name in ("test_2_once", "test_accepted_then_registered", "test_exchange")
)
# Those that start brokers of their own, or whole clusters.
OWN = frozenset(
    f"tests/{name}.py"
    for name in (
        "e2e/test_cluster",
        "e2e/test_kafka_tls",
        "e2e/test_local_cluster",
        "e2e/test_over_kafka",
        "e2e/test_start_order",
    )
)
LONG = ("tests/e2e/", "tests/faults/", "tests/generative/")


class Dealing(LoadFileScheduling):
    """Work is a file, or all files that share brokers."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((f"{min(files)} …" for files in (ASKING, CARRIED) if file in files), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealing | None:
    """For `--dist loadfile`."""
    return Dealing(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those that share brokers first. Raises UsageError where one is not named here."""
    for item in items:
        files, file = shared_by(item), file_of(item)
        if files and file not in files and not config.getoption("everywhere"):
            raise pytest.UsageError(f"{file} shares brokers: name it in {__file__}")
        if files or file in ASKING | OWN:
            item.add_marker("brokers")
        if file.startswith(LONG):
            item.add_marker("long")
    items.sort(key=lambda item: file_of(item) not in ASKING | CARRIED)


def file_of(item: pytest.Item) -> str:
    """As it is named above."""
    return item.nodeid.split("::", 1)[0]


def shared_by(item: pytest.Item) -> frozenset[str]:
    """The files that use the same brokers as a test."""
    if isinstance(item, pytest.Function):
        if not {"kafka", "secured_kafka"}.isdisjoint(item.fixturenames):
            return ASKING
        if hasattr(item, "callspec") and item.callspec.params.get("backend") == "kafka":
            return CARRIED
    return frozenset()
