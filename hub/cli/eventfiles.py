"""Events in files, checked without a hub: a JSON object, an array, or an event a line (NDJSON).

Every fault is told with the line where the faulty member stands. What is told repeats nothing of
the content.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Final

from contracts.catalogue import Catalogue
from contracts.envelope import TOO_DEEP, Envelope, day_of, read_structured
from contracts.faults import Fault
from contracts.owncodes import Codes
from hub.intake.faults import CONTRACT_UNKNOWN, TYPE_MISMATCH
from hub.intake.limits import Limits, has_more_values, is_deeper

MOST_BYTES: Final = 64 * 1024 * 1024
ENDINGS: Final = (".json", ".ndjson", ".jsonl")
_BLANK: Final = " \t\r\n"
_LIMITS: Final = Limits()
_decode = json.JSONDecoder().raw_decode

_TOO_LARGE: Final = Fault(
    "too_large", "", "文件超过 64 MiB，请拆分", "the file is larger than 64 MiB: split it"
)
_MISSING: Final = Fault("unreadable", "", "文件不存在或无法读取", "no such file, or not readable")
_NO_FILES: Final = Fault(
    "no_events",
    "",
    "没有 .json、.ndjson 或 .jsonl 文件",
    "it holds no .json, .ndjson or .jsonl file",
)
_NOT_UTF8: Final = Fault("json_invalid", "", "不是 UTF-8 编码", "not UTF-8")
_MARKED: Final = Fault(
    "json_invalid",
    "",
    "文件开头有 BOM，请存为不带 BOM 的 UTF-8",
    "a byte order mark stands at its start: save it without",
)
_EMPTY: Final = Fault("no_events", "", "文件中没有事件", "the file holds no event")
_NOT_JSON: Final = Fault("json_invalid", "", "从此处起不是合法的 JSON", "not valid JSON from here")
_EVENT_TOO_LARGE: Final = Fault(
    "too_large", "", "事件过大（至多 320 KiB）", "the event is larger than 320 KiB"
)
_TOO_MANY_VALUES: Final = Fault(
    "too_many", "", "成员和项数过多（至多 20,000）", "more than 20,000 members and items"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A fault; `event` counts from 1, None for the file as a whole. `unread`: nothing was checked
    from there on."""

    file: Path
    line: int | None
    event: int | None
    fault: Fault
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has looked at, and every fault that it found."""

    files: int
    events: int
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """An event's text in its file, from `start` to `end`; or where and why it cannot be read."""

    start: int
    end: int | None
    why: Fault = _NOT_JSON


def check_files(paths: tuple[Path, ...], catalogue: Catalogue, codes: Codes) -> Checked:
    """Check the events of files, and of all files in directories, against contracts and codes."""
    found: list[Found] = []
    files = events = 0
    for path in paths:
        inside = _files_in(path)
        if not inside:
            found.append(Found(path, None, None, _NO_FILES, unread=True))
        for file in inside:
            files += 1
            text = _text_of(file)
            if isinstance(text, Found):
                found.append(text)
                continue
            pieces = _pieces(text)
            events += sum(piece.end is not None for piece in pieces)
            if not pieces:
                found.append(Found(file, None, None, _EMPTY, unread=True))
            faults_of = partial(_faults_of, catalogue=catalogue, codes=codes)
            for number, piece in enumerate(pieces, 1):
                found += _check(file, text, number, piece, faults_of)
    return Checked(files, events, tuple(found))


def _files_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in ENDINGS and file.is_file())


def _text_of(file: Path) -> str | Found:
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError:
        return Found(file, None, None, _MISSING, unread=True)
    if len(data) > MOST_BYTES:
        return Found(file, None, None, _TOO_LARGE, unread=True)
    if data.startswith(b"\xef\xbb\xbf"):
        return Found(file, 1, None, _MARKED, unread=True)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        return Found(file, line, None, _NOT_UTF8, unread=True)


def _check(
    file: Path,
    text: str,
    number: int,
    piece: _Piece,
    faults_of: Callable[[bytes], tuple[Fault, ...]],
) -> Iterator[Found]:
    if piece.end is None:
        yield Found(file, _line(text, piece.start), number, piece.why, unread=True)
        return
    event = text[piece.start : piece.end]
    for fault in faults_of(event.encode()):
        line = _line(text, piece.start + _place(event, fault.pointer))
        yield Found(file, line, number, fault)


def _faults_of(event: bytes, catalogue: Catalogue, codes: Codes) -> tuple[Fault, ...]:
    if len(event) > _LIMITS.event:
        return (_EVENT_TOO_LARGE,)
    if is_deeper(event, _LIMITS.depth):
        return (TOO_DEEP,)
    if has_more_values(event, _LIMITS.values):
        return (_TOO_MANY_VALUES,)
    envelope = read_structured(event)
    if not isinstance(envelope, Envelope):
        return envelope
    contract = catalogue.by_dataschema(envelope.attributes.dataschema)
    if contract is None:
        return (CONTRACT_UNKNOWN,)
    if contract.type != envelope.attributes.type:
        return (TYPE_MISMATCH,)
    checked = contract.check(envelope.data, day_of(envelope.attributes.time), codes=codes)
    return checked if isinstance(checked, tuple) else ()


def _pieces(text: str) -> list[_Piece]:
    """The events of a text: the items of its array, its lines, or the one object that it is."""
    start = _after_blanks(text, 0)
    if start == len(text):
        return []
    if text[start] == "[":
        return _items(text, start)
    first = _value(text, start)
    if first.end is not None and _after_blanks(text, first.end) == len(text):
        return [first]
    line = text[start:].partition("\n")[0].rstrip(_BLANK)
    one_a_line = first.end == start + len(line) or (first.end is None and line.endswith("}"))
    if one_a_line:
        return _lines(text)
    return [first if first.end is None else _Piece(_after_blanks(text, first.end), None)]


def _items(text: str, start: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = _after_blanks(text, start + 1)
    if text[at : at + 1] == "]":
        return pieces if _after_blanks(text, at + 1) == len(text) else [_Piece(at + 1, None)]
    while True:
        piece = _value(text, at)
        pieces.append(piece)
        if piece.end is None:
            return pieces
        at = _after_blanks(text, piece.end)
        if text[at : at + 1] == "]" and _after_blanks(text, at + 1) == len(text):
            return pieces
        if text[at : at + 1] != ",":
            return [*pieces, _Piece(min(at, len(text) - 1), None)]
        at = _after_blanks(text, at + 1)


def _lines(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    for line in text.split("\n"):
        if line.strip(_BLANK):
            read = _value(line, _after_blanks(line, 0))
            if read.end is not None and _after_blanks(line, read.end) < len(line):
                read = _Piece(_after_blanks(line, read.end), None)
            end = None if read.end is None else at + read.end
            pieces.append(_Piece(at + read.start, end, read.why))
        at += len(line) + 1
    return pieces


def _value(text: str, start: int) -> _Piece:
    try:
        _, end = _decode(text, start)
    except json.JSONDecodeError as error:
        return _Piece(min(error.pos, len(text) - 1), None)
    except RecursionError:
        return _Piece(start, None, TOO_DEEP)
    except ValueError:  # a number with digits out of all proportion
        return _Piece(start, None)
    return _Piece(start, end)


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return 1 + text.count("\n", 0, at)


def _place(event: str, pointer: str) -> int:
    """Where in an event's text a pointer's member stands, or the last object on the way to it."""
    at = 0
    for step in pointer.split("/")[1:]:
        found = _member(event, at, step)
        if found is None:
            break
        at = found
    return at


def _member(event: str, at: int, step: str) -> int | None:
    """Where a member, or an item, of the object or array at `at` begins. The text is JSON."""
    opening = event[at]
    if opening not in "{[":
        return None
    at, number = _after_blanks(event, at + 1), 0
    while event[at] not in "}]":
        name = str(number)
        if opening == "{":
            name, at = scanstring(event, at + 1, True)
            at = _after_blanks(event, _after_blanks(event, at) + 1)
        if name == step:
            return at
        _, at = _decode(event, at)
        at = _after_blanks(event, at)
        if event[at] == ",":
            at = _after_blanks(event, at + 1)
        number += 1
    return None
