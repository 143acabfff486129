"""A reader of packages of tables (HZB, ZB3): a zip or 7z that holds `Table/A01.xml` and others.

A record is a row of the table that `Wanted.records` names, joined with the rows of other tables
by `Wanted.key`. So that a package may be larger than memory, rows wait in a database on disk that
has no name.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from msgspec import json

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.image import Picture, is_picture
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.patterns import quoted
from adapters.kit.readers.tablerows import TableRows
from adapters.kit.readers.unpacking import opened_zip, unpacked
from adapters.kit.readers.zipped import members_of
from adapters.kit.wanted import Wanted, canonical

SEVEN: Final = b"7z\xbc\xaf\x27\x1c"

_MEMBERS_A_MEMBER: Final = 60
_TOGETHER: Final = 1_000
_MOST_PARTS: Final = 1_000
_LONGEST_RECORD: Final = 1 << 22
_ABOUT: Final = "gwyinfo"
_FORM: Final = "@form"
_NODES: Final = ("node", "tablelist")
_TABLES: Final = """
CREATE TABLE persons (number INTEGER PRIMARY KEY, person, columns);
CREATE TABLE parts (number INTEGER PRIMARY KEY, person, part, columns);
CREATE INDEX persons_once ON persons (person);
"""


@dataclass(frozen=True, slots=True)
class _Inside:
    """What a package holds: tables by name, photographs by the key of whom they show."""

    about: ZipInfo | None
    tables: Mapping[str, ZipInfo]
    photos: Mapping[str, ZipInfo]


@contextmanager
def opened_package(path: Path, name: str, wanted: Wanted, limits: Limits) -> Iterator["Package"]:
    """A reader of the package at `path`. Raises UnreadableFile, CannotRun, or OSError."""
    # Every person may have a photograph.
    wide = replace(limits, members=_MEMBERS_A_MEMBER * limits.members)
    with path.open("rb") as file:
        is_seven = file.read(len(SEVEN)) == SEVEN
    if is_seven:
        with unpacked(path, wide, wanted.password) as content, ZipFile(content) as archive:
            yield from _of(archive, archive.infolist(), name, wanted, limits)
    else:
        members = members_of(path, wide)
        with opened_zip(path, members, wide, wanted.password) as (archive, inside):
            yield from _of(archive, inside, name, wanted, limits)


def _of(
    archive: ZipFile, members: Sequence[ZipInfo], name: str, wanted: Wanted, limits: Limits
) -> Iterator["Package"]:
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.executescript(_TABLES)
        yield Package(archive, _inside(members), database, name=name, wanted=wanted, limits=limits)


class Package:
    """`Reader` of one package: its persons in the order of their table.

    A number is the row of that table. Opening reads the wanted tables whole, and raises
    UnreadableFile for a package of which one cannot be read: nobody is told by halves.
    """

    def __init__(
        self,
        archive: ZipFile,
        inside: _Inside,
        database: sqlite3.Connection,
        *,
        name: str,
        wanted: Wanted,
        limits: Limits,
    ) -> None:
        self._archive = archive
        self._inside = inside
        self._database = database
        self._name = name
        self._wanted = wanted
        self._limits = limits
        self._table = canonical(wanted.records)
        self._groups = {group.each: name for name, group in wanted.groups.items()}
        self._notices: list[RowFault] = []
        self._said = self._about()
        self._keep_tables()

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return tuple(self._notices)

    @property
    def rows(self) -> int | None:
        (found,) = self._database.execute("SELECT max(number) FROM persons").fetchone()
        return int(found or 0)

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        select = "SELECT number, person, columns FROM persons WHERE number > ? ORDER BY number"
        for number, person, columns in self._database.execute(select, (after,)):
            yield self._record(number, person, json.decode(columns, type=dict[str, str]))

    def _about(self) -> dict[str, str]:
        """What the package says of itself, as `gwyinfo/<name>`. Refused without a table."""
        if self._inside.about is None:
            reason = "压缩包里没有 gwyinfo.xml，不是 HZB 或 ZB3 数据包"
            raise _refused(reason, "请核对文件，或换用相应的适配器")
        said: dict[str, str] = {}
        listed = set()
        with self._opened(self._inside.about) as content:
            for node in islice(TableRows(content, _NODES).read(), self._limits.columns):
                name = canonical(node.get("name", ""))
                if "value" in node:
                    said[f"{_ABOUT}/{name}"] = node["value"]
                else:
                    listed.add(name)
        needed = {self._table} | listed.intersection(self._groups)
        if absent := sorted(needed - self._inside.tables.keys()):
            reason = f"数据包里没有表 {quoted(each.upper() for each in absent)}"
            raise _refused(reason, "数据包不完整，请重新导出")
        return {name: text for name, text in said.items() if name in self._wanted.titles}

    def _keep_tables(self) -> None:
        self._database.execute("BEGIN")
        rowset = False
        for table in (self._table, *self._groups):
            if table not in self._inside.tables:
                continue
            member = self._inside.tables[table]
            try:
                with self._opened(member) as content:
                    rows = TableRows(content)
                    lost = self._keep(table, rows.read())
            except UnreadableFile as refusal:
                raise UnreadableFile(
                    *(replace(f, sheet=table.upper()) for f in refusal.faults)
                ) from None
            self._tell(table, rows.cut, lost)
            rowset |= rows.rowset
        self._said[_FORM] = "zb3" if rowset else "hzb"
        self._database.execute("CREATE INDEX by_person ON parts (person)")
        self._database.execute("COMMIT")

    def _keep(self, table: str, rows: Iterator[Mapping[str, str]]) -> int:
        """Keep the wanted columns of a table's rows; how many say not whose they are."""
        key, lost = self._wanted.key, 0
        of_persons = table == self._table
        if of_persons:
            insert = "INSERT INTO persons (person, columns) VALUES (?, ?)"
            columns = frozenset(self._wanted.titles)
        else:
            insert = "INSERT INTO parts (person, columns, part) VALUES (?, ?, ?)"
            columns = frozenset(self._wanted.groups[self._groups[table]].titles)
        while lot := list(islice(rows, _TOGETHER)):
            self._limits.go_on()
            kept = []
            for row in lot:
                person = row.get(key, "").strip()
                if of_persons or person:
                    wanted = {name: text for name, text in row.items() if name in columns}
                    of_part = () if of_persons else (table,)
                    kept.append((person, json.encode(wanted), *of_part))
                else:
                    lost += 1
            self._database.executemany(insert, kept)
        return lost

    def _tell(self, table: str, cut: int, lost: int) -> None:
        sheet = table.upper()
        if cut:
            reason = f"表中有 {cut} 处文字末尾被截断了半个字，已去掉半个字，其余照读"
            advice = "内容可能不全，请告知导出数据包的软件厂家"
            self._notices.append(RowFault(0, "", FaultKind.NOTICE, reason, advice, sheet))
        if lost:
            reason = f"表中有 {lost} 行没有写明是谁的（{self._wanted.key.upper()} 空白），未读取"
            self._notices.append(
                RowFault(0, "", FaultKind.NOTICE, reason, "请在原系统中核对后重新导出", sheet)
            )

    def _record(self, number: int, person: str, columns: dict[str, str]) -> Record | Unreadable:
        place = Place(self._name, number, self._table.upper())
        if not person:
            return self._wrong(place, number, "没有填写，不能与其他表对应", FaultKind.MISSING)
        if self._stands_before(number, person):
            return self._wrong(place, number, "与前面一行相同，只读取前一行", FaultKind.MISMATCH)
        groups = self._parts(person)
        cells = (*columns.values(), *(c for g in groups.values() for p in g for c in p.values()))
        if any(len(parts) > _MOST_PARTS for parts in groups.values()):
            return self._wrong(place, number, f"的同类项超过 {_MOST_PARTS} 个", FaultKind.TOO_LONG)
        if sum(map(len, cells)) > _LONGEST_RECORD or any(
            len(cell) > self._limits.cell_characters for cell in cells
        ):
            reason = f"的内容过长（一项超过 {self._limits.cell_characters} 字）"
            return self._wrong(place, number, reason, FaultKind.TOO_LONG)
        said = self._said | self._photo(person)
        return Record(number, place, said | columns, groups)

    def _stands_before(self, number: int, person: str) -> bool:
        select = "SELECT 1 FROM persons WHERE person = ? AND number < ? LIMIT 1"
        return self._database.execute(select, (person, number)).fetchone() is not None

    def _parts(self, person: str) -> dict[str, list[dict[str, str]]]:
        groups: dict[str, list[dict[str, str]]] = {name: [] for name in self._groups.values()}
        select = "SELECT part, columns FROM parts WHERE person = ? ORDER BY number LIMIT ?"
        most = (_MOST_PARTS + 1) * len(groups)
        for part, columns in self._database.execute(select, (person, most)):
            groups[self._groups[part]].append(json.decode(columns, type=dict[str, str]))
        return groups

    def _photo(self, person: str) -> dict[str, str]:
        member = self._inside.photos.get(person.casefold())
        if member is None or not self._wanted.images:
            return {}
        picture = Picture()
        with self._opened(member) as content:
            picture.add_file(content)
        return dict.fromkeys(self._wanted.images, str(picture))

    def _wrong(self, place: Place, number: int, reason: str, kind: FaultKind) -> Unreadable:
        column = self._wanted.key
        advice = "请在原系统中核对该人员后重新导出"
        told = RowFault(place.row, column, kind, f"{column.upper()} {reason}", advice, place.sheet)
        return Unreadable(number, place, (told,))

    @contextmanager
    def _opened(self, member: ZipInfo) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(member) as content:
                yield content
        except NotImplementedError:
            reason = "压缩包的压缩方式不受支持"
            raise _refused(reason, "请改用 7z，或用一般的 zip 方式重新压缩") from None
        except (BadZipFile, zlib.error, EOFError):
            raise _refused("数据包中的文件已损坏", "请重新导出，并确认传输完整") from None


def _inside(members: Sequence[ZipInfo]) -> _Inside:
    about: ZipInfo | None = None
    tables: dict[str, ZipInfo] = {}
    photos: dict[str, ZipInfo] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        stem, suffix = path.stem.casefold(), path.suffix.casefold()
        if suffix == ".xml" and stem == _ABOUT:
            about = about or member
        elif suffix == ".xml" and path.parent.name.casefold() == "table":
            tables.setdefault(stem, member)
        elif is_picture(path.name):
            photos.setdefault(stem, member)
    return _Inside(about, tables, photos)


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
