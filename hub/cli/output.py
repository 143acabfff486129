"""What commands print: tables for people, JSON for machines (`--json`)."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

AsJson = Annotated[bool, Parameter(name="--json", negative=(), help="输出 JSON / print JSON")]


def show_json(value: Any) -> None:
    """Print one JSON document."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=None, default=str)
    sys.stdout.write("\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(*(Column(name, overflow="fold") for name in columns), header_style="bold")
    for row in rows:
        # As text: brackets in a name are no markup, and control characters do not get through.
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(soft_wrap=False).print(table)


def say(line: str) -> None:
    """Print a line for people."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(f"{line}\n")
