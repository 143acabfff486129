"""What the process that takes a workbook apart writes for the one that reads it.

A stream of frames, each behind its length of four bytes; of every sheet first a `Sheet`, then its
rows from the first to the last in `Rows`, then whatever comes next. `Refused` is the only one.
"""

from typing import IO, Final, Literal

import msgspec

# How the process ends when what it writes finds no room, and when there is too much of it.
NOT_WRITTEN: Final = 74
TOO_LONG: Final = 75

Why = Literal["encrypted", "damaged", "large"]


class Sheet(msgspec.Struct, frozen=True, array_like=True, tag="sheet"):
    """A sheet before its rows. `merged` are first row, first column, last row, last column, and
    `errors` row and column of the cells that show an error; all count from 0."""

    name: str
    hidden: bool
    rows: int
    merged: list[tuple[int, int, int, int]]
    errors: list[tuple[int, int]]


class Rows(msgspec.Struct, frozen=True, array_like=True, tag="rows"):
    """Rows that follow each other, packed: every cell as text, without the blank ones at the
    end."""

    packed: msgspec.Raw

    def rows(self) -> list[list[str]]:
        return _ROWS.decode(self.packed)


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """Why nothing of this workbook can be read."""

    why: Why


Frame = Sheet | Rows | Refused

_LENGTH: Final = 4
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Frame)
_ROWS: Final = msgspec.msgpack.Decoder(list[list[str]])


def packed(rows: list[list[str]]) -> Rows:
    """Rows as a frame."""
    return Rows(msgspec.Raw(_ENCODER.encode(rows)))


def write_frame(out: IO[bytes], frame: Frame) -> None:
    """Append a frame."""
    content = _ENCODER.encode(frame)
    out.write(len(content).to_bytes(_LENGTH, "big"))
    out.write(content)


def read_frame(file: IO[bytes]) -> Frame | None:
    """The next frame, or None at the end. Raises msgspec.MsgspecError for one that is broken."""
    length = file.read(_LENGTH)
    return _DECODER.decode(file.read(int.from_bytes(length, "big"))) if length else None
