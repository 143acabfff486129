"""What the hubs of a test stand on, and what was tested on which, told at the end.

A test says where it runs by the mark `backend`. A module that depends on the database says so by
the mark `on_both`: its tests run on each; with `--everywhere` so does every test that may. What
depends on how events are carried says `over_kafka`: it runs over Kafka and PostgreSQL too, and of a
module that says so `at_length` only with `--everywhere`. What needs events to be registered when
they are accepted, and by the same process, says `at_the_door`, and does not run there.
"""

from collections import Counter

import pytest

OUTCOMES = ("passed", "failed", "error", "skipped")
DATABASES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How far it is carried."""
    help_ = "run the whole specification on every database"
    parser.addoption("--everywhere", action="store_true", help=help_)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.addinivalue_line("markers", "backend(name): the database that the test runs on")
    config.addinivalue_line("markers", "on_both: the tests run on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "over_kafka: over Kafka too")
    config.addinivalue_line("markers", "at_the_door: not over Kafka")
    config.addinivalue_line("markers", "at_length: over Kafka too, with --everywhere")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have tests run on several."""
    marked = metafunc.definition.get_closest_marker
    everywhere = bool(metafunc.config.getoption("everywhere"))
    spec = everywhere and "spec" in metafunc.definition.path.parts
    names = [*DATABASES] if spec or marked("on_both") else []
    carried = marked("over_kafka") or (everywhere and marked("at_length"))
    if carried and not marked("at_the_door"):
        names.append("kafka")
    if names:
        each = [pytest.param(name, marks=pytest.mark.backend(name)) for name in names]
        metafunc.parametrize("backend", each, indirect=True, scope="module")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Properties, unlike marks, come back from the processes of a parallel run."""
    if mark := item.get_closest_marker("backend"):
        item.user_properties.append(("backend", mark.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each backend, and why tests of it were skipped."""
    counts: Counter[tuple[str, str]] = Counter()
    reasons: set[tuple[str, str]] = set()
    for outcome in OUTCOMES:
        for report in terminalreporter.getreports(outcome):
            for name, backend in getattr(report, "user_properties", ()):
                if name == "backend":
                    counts[str(backend), outcome] += 1
                    if isinstance(report.longrepr, tuple):
                        reasons.add((str(backend), report.longrepr[2]))
    for backend in sorted({backend for backend, _ in counts}):
        told = [f"{n} {o}" for o in OUTCOMES if (n := counts[backend, o])]
        terminalreporter.write_line(f"on {backend}: {', '.join(told)}")
    for backend, reason in sorted(reasons):
        terminalreporter.write_line(f"on {backend}: {reason}")
