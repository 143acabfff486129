from collections.abc import Iterator

import pytest

from tests.adapters.door import Door, open_door


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as door:
        yield door
