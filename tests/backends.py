"""What a run of pytest has tested on which backend, told at its end.

A test says where it runs by the mark `backend`; a fixture that stands for several gives it to each
of its parameters.
"""

from collections import Counter

import pytest

OUTCOMES = ("passed", "failed", "error", "skipped")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "backend(name): the database that the test runs on")


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
