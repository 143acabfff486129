"""A command loads its own code and what that stands on: it is started often, and waited for."""

import subprocess
import sys

import pytest

TELLING = """
import atexit, sys
from hub.cli.commands import main
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""
# Each takes long to load.
STORAGE = ("sqlalchemy", "hub.database.writer", "alembic", "asyncpg")
SERVER = ("starlette", "uvicorn", "hub.app", "prometheus_client")
CATALOGUE = ("contracts.catalogue", "contracts.compatibility")
CLIENT = ("httpx", "hub.cli.connection")


@pytest.mark.parametrize(
    ("command", "own", "others"),
    [
        ("--help", "hub.cli.commands", (*STORAGE, *SERVER, *CATALOGUE, *CLIENT)),
        ("publish --help", "hub.cli.events", (*STORAGE, *SERVER, *CATALOGUE)),
        ("policy apply --help", "hub.cli.policies", (*STORAGE, *SERVER, *CATALOGUE)),
        ("contract list --help", "hub.cli.contracts", (*STORAGE, *SERVER, *CLIENT)),
        ("kafka plan --help", "hub.cli.kafka", ("confluent_kafka", "starlette", "uvicorn")),
        ("adapter run --help", "hub.cli.adapters", (*STORAGE, *SERVER)),
        ("up --help", "hub.cli.serving", ("alembic", "httpx", "adapters.kit.client")),
    ],
)
def test_a_command_loads_its_own_code_and_no_other(
    command: str, own: str, others: tuple[str, ...]
) -> None:
    loaded = loaded_by(command)
    assert own in loaded
    assert {other for other in others if other in loaded} == set()


def loaded_by(command: str) -> set[str]:
    """The modules that a process of the command has loaded by its end."""
    told = subprocess.run(
        [sys.executable, "-c", TELLING, *command.split()],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(told.stderr.split())
