"""The option of the kill campaign."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--kills N`: how often the campaign kills the hub; `make soak` asks for many."""
    parser.addoption("--kills", type=int, default=5, help="kills of the campaign (default 5)")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often the campaign kills the hub."""
    asked: int = request.config.getoption("--kills", default=5)
    return asked
