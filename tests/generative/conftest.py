"""The option of the generated world."""

import pytest

DECISIONS = 60_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--decisions N`: how many are compared with the model; `make soak` asks for a million."""
    parser.addoption(
        "--decisions",
        type=int,
        default=DECISIONS,
        help=f"decisions compared with the model (default {DECISIONS})",
    )


@pytest.fixture(scope="session")
def wanted(request: pytest.FixtureRequest) -> int:
    """How many decisions are to be compared."""
    asked: int = request.config.getoption("--decisions", default=DECISIONS)
    return asked
