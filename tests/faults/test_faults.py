"""A few of the faults, each once; `make faults` tries all of them."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.faults.cases import CASES, Case
from tests.faults.field import Field, field
from tests.faults.trial import NO_HARM, tried
from tests.postgres import programs

pytestmark = pytest.mark.timeout(600)
QUICK = [case for case in CASES if case.quick]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A hub that the faults share: each leaves it whole."""
    programs()
    with field(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("case", QUICK, ids=[case.name for case in QUICK])
def test_a_fault_loses_doubles_and_reorders_nothing(place: Field, case: Case[Field]) -> None:
    assert tried(case, place, Random(case.name), times=1).harm == NO_HARM
