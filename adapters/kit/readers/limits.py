"""What a document may measure; more is refused, and told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes in all, columns, characters in one cell (a spreadsheet's).

    `whole_bytes` is for what cannot be read piece by piece (workbooks, JSON that is no NDJSON);
    `members` and `unpacked_bytes` are for what a zip holds, all members together; `depth` is how
    far XML and JSON may be nested; `list_rows` and `list_characters` are for the lists of a
    workbook whose rows belong to records, and `list_rows` for these records too.

    `go_on` is asked again and again while a document is taken apart; what it raises ends that.
    """

    file_bytes: int = 1 << 30
    whole_bytes: int = 64 << 20
    columns: int = 500
    cell_characters: int = 32_767
    members: int = 1_000
    unpacked_bytes: int = 1 << 30
    depth: int = 64
    list_rows: int = 20_000
    list_characters: int = 1 << 24
    go_on: Callable[[], None] = lambda: None


SPREADSHEET: Final = Limits()
