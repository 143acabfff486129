"""`guantong` commands, in earnest, from their words to their exit status: in this process.

Those that are killed, limited or watched have processes of their own: `tests/e2e/commands.py`.
"""

import io
import json
import sys
import warnings
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub.cli.commands import main


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    said: str
    complained: str

    @property
    def document(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.said)


def guantong(*words: str | Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run a command on a wide terminal."""
    said, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # It takes its words from where a shell would put them, and in tests is warned of that.
        warnings.filterwarnings("ignore", "Cyclopts application invoked without tokens")
        patch.setattr(sys, "argv", ["guantong", *map(str, words)])
        for name, value in {"COLUMNS": "240", **(environment or {})}.items():
            patch.setenv(name, value)
        with (
            redirect_stdout(said),
            redirect_stderr(complained),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    assert isinstance(ended.value.code, int)
    return Done(ended.value.code, said.getvalue(), complained.getvalue())
