"""What a document may measure; more is refused, and told."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes in all, columns, characters in one cell (a spreadsheet's)."""

    file_bytes: int = 1 << 30
    columns: int = 500
    cell_characters: int = 32_767


SPREADSHEET: Final = Limits()
