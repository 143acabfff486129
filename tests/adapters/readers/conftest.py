"""What the tests of readers share."""

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a document is to be written."""
    return tmp_path / "document"
