"""The option of the drawn payloads."""

import pytest

DRAWS = 1_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--draws N`: how many payloads are drawn; `make soak` asks for a hundred thousand."""
    parser.addoption("--draws", type=int, default=DRAWS, help=f"payloads drawn (default {DRAWS})")


@pytest.fixture
def draws(request: pytest.FixtureRequest) -> int:
    """How many payloads are to be drawn."""
    asked: int = request.config.getoption("--draws", default=DRAWS)
    return asked
