"""Fixtures: a hub in its own process with a city's policy, one for each test module."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.running import RunningHub, running_hub
from tests.sample import policy

settings.register_profile("soak", max_examples=2_000)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that the tests of a module share: each uses events and subscriptions of its own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        running.apply(policy())
        yield running


@pytest.fixture
def fresh_hub(tmp_path: Path) -> Iterator[RunningHub]:
    """A hub of the test's own."""
    with running_hub(tmp_path / "data") as running:
        running.apply(policy())
        yield running
