"""The option of the search for counterexamples."""

import pytest

PAIRS = 500


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--pairs N`: how many pairs of schemas are searched; `make soak` asks for many."""
    parser.addoption(
        "--pairs", type=int, default=PAIRS, help=f"pairs of schemas searched (default {PAIRS})"
    )


@pytest.fixture(scope="session")
def pairs(request: pytest.FixtureRequest) -> int:
    """How many pairs of schemas are searched for counterexamples."""
    asked: int = request.config.getoption("--pairs", default=PAIRS)
    return asked
