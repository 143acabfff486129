"""Readers of JSON: one document with a list of records, and NDJSON with a record on every line."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NoReturn

import msgspec

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.encoding import TextFile, as_2022
from adapters.kit.readers.header import SEARCHED
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.paths import Part, Paths, Taken, no_record, renamed
from adapters.kit.wanted import Wanted, canonical

_LONGEST_LINE: Final = 1 << 22
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ADVICE: Final = "请核对导出程序，或重新导出"
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")

_Value = None | bool | str | list["_Value"] | dict[str, "_Value"]


class JsonFile:
    """`Reader` of one JSON document: the list at `Wanted.records`, or the one object there.

    The number of a record is its ordinal. Numbers are read as they are written. A record with a
    member twice, or of something else than members, is Unreadable; the others go on.
    """

    def __init__(self, file: TextFile, *, name: str, wanted: Wanted, limits: Limits) -> None:
        self._name = name
        self._wanted = wanted
        self._parsing = _Parsing(Paths.of(wanted), limits)
        self._records = _records(file, wanted)
        seen: set[str] = set()
        looking = _Parsing(Paths.of(wanted), limits, seen)
        for number, raw in enumerate(self._records[:SEARCHED], start=1):
            looking.parse(bytes(raw).decode(), number, Place(name, number))
        if refusal := renamed(seen, wanted):
            raise refusal

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return () if self._records else (no_record(self._wanted),)

    @property
    def rows(self) -> int | None:
        return len(self._records)

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        for number, raw in enumerate(self._records[after:], start=after + 1):
            yield self._parsing.parse(bytes(raw).decode(), number, Place(self._name, number))


class NdjsonFile:
    """`Reader` of one NDJSON document. The number of a record is its line; blank ones are none.

    A line that is no object, or too long, is Unreadable; the others go on.
    """

    def __init__(self, file: TextFile, *, name: str, wanted: Wanted, limits: Limits) -> None:
        self._file = file
        self._name = name
        self._wanted = wanted
        self._parsing = _Parsing(Paths.of(wanted), limits)
        seen: set[str] = set()
        looking = _Parsing(Paths.of(wanted), limits, seen)
        self._empty = not list(islice(self._read(0, looking), SEARCHED))
        if refusal := renamed(seen, wanted):
            raise refusal

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return (no_record(self._wanted),) if self._empty else ()

    @property
    def rows(self) -> int | None:
        return None

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        yield from self._read(after, self._parsing)

    def _read(self, after: int, parsing: "_Parsing") -> Iterator[Record | Unreadable]:
        for number, line in enumerate(self._lines(), start=1):
            if number > after and (line is None or line.strip()):
                place = Place(self._name, number)
                if line is None:
                    most = _LONGEST_LINE >> 20
                    yield _unreadable(number, place, f"一行超过 {most} Mi 字符，没有读取", _ADVICE)
                else:
                    yield parsing.parse(line, number, place)

    def _lines(self) -> Iterator[str | None]:
        """Every line; None for one that is too long."""
        decoded = as_2022 if self._file.encoding == "gb18030" else str
        with self._file.path.open(encoding=self._file.encoding, newline="\n") as file:
            while line := file.readline(_LONGEST_LINE):
                whole = _ends(line)
                yield decoded(line) if whole else None
                while not whole:
                    whole = _ends(file.readline(_LONGEST_LINE))


def is_ndjson(file: TextFile) -> bool:
    """Whether the first line is an object and another begins below."""
    with file.path.open(encoding=file.encoding, newline="\n") as text:
        try:
            first = _DECODER.decode(text.readline(_LONGEST_LINE))
        except (ValueError, RecursionError):
            return False
        below = text.readline(_LONGEST_LINE)
        while below.isspace():
            below = text.readline(_LONGEST_LINE)
        return isinstance(first, dict) and below.lstrip().startswith("{")


def _ends(line: str) -> bool:
    return line.endswith("\n") or len(line) < _LONGEST_LINE


def _records(file: TextFile, wanted: Wanted) -> list[msgspec.Raw]:
    """The records unparsed: so the document is in memory once, not as so many objects."""
    text = file.path.read_text(encoding=file.encoding)
    at = msgspec.Raw((as_2022(text) if file.encoding == "gb18030" else text).encode())
    try:
        for member in filter(None, wanted.records.split("/")):
            members = {canonical(key): value for key, value in _OBJECT.decode(at).items()}
            if canonical(member) not in members:
                raise _refused(f"JSON 中没有 {wanted.records}", "请在映射中写明记录列表的位置")
            at = members[canonical(member)]
        match bytes(at).lstrip()[:1]:
            case b"[":
                return _LIST.decode(at)
            case b"{":
                _OBJECT.decode(at)
                return [at]
            case _:
                msgspec.json.decode(at, type=None)
                return []
    except msgspec.ValidationError:
        reason = f"JSON 的 {wanted.records or '最外层'} 处不是记录列表"
        raise _refused(reason, "请在映射中写明记录列表的位置") from None
    except (msgspec.DecodeError, RecursionError):
        raise _refused("JSON 不合语法，或文件不完整", _ADVICE) from None


class _Parsing:
    """Makes records of objects. `seen` are the paths that stand in them, wanted or not, while
    somebody asks for them."""

    def __init__(self, paths: Paths, limits: Limits, seen: set[str] | None = None) -> None:
        self._paths = paths
        self._limits = limits
        self._seen = seen

    def parse(self, text: str, number: int, place: Place) -> Record | Unreadable:
        taken = Taken(self._paths, self._limits)
        try:
            found = _DECODER.decode(text)
            if not isinstance(found, dict):
                return _unreadable(number, place, "记录不是 JSON 对象", _ADVICE)
            if _SURROGATE.search(text):
                # Half a character, as no UTF-8 can write it.
                json.dumps(found, ensure_ascii=False).encode()
            self._walk(taken, None, "", found, self._limits.depth)
        except _Twice:
            return _unreadable(number, place, "记录中有重名的项", _ADVICE)
        except (ValueError, RecursionError):
            return _unreadable(number, place, "记录不是完好的 JSON，或嵌套过深", _ADVICE)
        return taken.record(number, place)

    def _walk(self, taken: Taken, part: Part | None, path: str, value: _Value, room: int) -> None:
        if room == 0:
            raise ValueError
        if part and path:
            taken.see(part, path)
        elif self._seen is not None and len(self._seen) < self._limits.columns:
            self._seen.add(path)
        match value:
            case None:
                taken.add(part, path, "")
            case bool():
                taken.add(part, path, "是" if value else "否")
            case str():
                taken.add(part, path, value)
            case list():
                for each in value:
                    self._walk(taken, part, path, each, room - 1)
            case dict():
                begun = part is None and self._paths.begins_part(path)
                if begun:
                    part, path = taken.part(path), ""
                elif part is None and path not in self._paths.ways:
                    taken.pass_over(path)
                # Most members are texts of the record itself, which nobody needs to walk.
                texts = part is None and self._seen is None and room > 1
                wanted, values = self._paths.leaves[""], taken.values
                for name, below in value.items():
                    inner = f"{path}/{name}" if path else name
                    if texts and isinstance(below, str):
                        if inner not in wanted:
                            continue
                        if inner not in values and len(below) <= self._limits.cell_characters:
                            values[inner] = below
                        else:
                            taken.add(None, inner, below)
                    else:
                        self._walk(taken, part, inner, below, room - 1)
                if begun and part:
                    taken.end(part)


class _Twice(ValueError):
    """An object has two members of one name."""


def _members(pairs: list[tuple[str, _Value]]) -> dict[str, _Value]:
    members = {_name(key): value for key, value in pairs}
    if len(members) < len(pairs):
        raise _Twice
    return members


_name = lru_cache(maxsize=4_096)(canonical)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


# Numbers stay as they are written: 18 digits would not survive as a float, nor would 0.10.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=str, parse_int=str, parse_constant=_no_number
)


def _unreadable(number: int, place: Place, reason: str, advice: str) -> Unreadable:
    fault = RowFault(place.row, "", FaultKind.SYNTAX, reason, advice, place.sheet)
    return Unreadable(number=number, place=place, faults=(fault,))


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
