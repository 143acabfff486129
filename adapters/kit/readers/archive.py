"""A reader of zips: every member is read as if it were a document of its own."""

import re
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from msgspec import structs

from adapters.kit.port import (
    FaultKind,
    Place,
    Reader,
    Record,
    RowFault,
    Unreadable,
    UnreadableFile,
)
from adapters.kit.readers.image import Picture, is_picture
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.patterns import counts, quoted
from adapters.kit.readers.table import Names, own_names
from adapters.kit.readers.zipped import name_of
from adapters.kit.wanted import Wanted

Opener = Callable[[Path, str, Wanted, Limits], AbstractContextManager[Reader]]

# Each member has so many numbers of its own, so that none has to be read to number the next.
_NUMBERS: Final = 1 << 32
_MOST_TOLD: Final = 20
_CHUNK: Final = 1 << 18
_NOT_PEOPLES: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class _Member:
    """A member under the name that people gave it."""

    info: ZipInfo
    name: str


class Archive:
    """`Reader` of one zip: the members that `Wanted.sheets` names (or all), in the order of names.

    A number is the member's place and the number there. What cannot be read of a member comes as
    `Unreadable` in its place, and the others go on; `Place.sheet` is the member. A picture that is
    called like a member is its own, where the records want one and hold none. Opening raises
    UnreadableFile when no member can be read.
    """

    def __init__(
        self,
        archive: ZipFile,
        members: Sequence[ZipInfo],
        *,
        name: str,
        wanted: Wanted,
        limits: Limits,
        opener: Opener,
    ) -> None:
        self._archive = archive
        self._name = name
        self._patterns = wanted.sheets
        # The patterns name members here, and nothing inside them.
        self._wanted = replace(wanted, sheets=())
        self._limits = limits
        self._opener = opener
        named = [_Member(info, name_of(info.filename, info.flag_bits)) for info in members]
        self._members = sorted(
            (each for each in named if _is_peoples(each.name) and counts(each.name, wanted.sheets)),
            key=lambda member: member.name,
        )
        self._pictures = _pictures(named) if wanted.images else {}
        self._told: dict[str, str] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._notices = self._survey()

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return self._notices

    @property
    def names(self) -> Names:
        return self._names

    @property
    def rows(self) -> int | None:
        return None

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        for ordinal, member in enumerate(self._members, start=1):
            before = ordinal * _NUMBERS
            if after < before + _NUMBERS:
                yield from self._read(member, before, max(0, after - before))

    def _read(self, member: _Member, before: int, after: int) -> Iterator[Record | Unreadable]:
        last = 0
        try:
            with self._opened(member) as reader:
                for each in reader.read():
                    last = each.number
                    if last > after:
                        placed = _placed(each, before, self._name, member)
                        yield self._with_picture(placed, member)
        except UnreadableFile as error:
            if last + 1 > after:
                place = Place(self._name, 0, member.name)
                faults = tuple(_in_member(fault, member) for fault in error.faults)
                yield Unreadable(number=before + last + 1, place=place, faults=faults)

    def _with_picture(self, each: Record | Unreadable, member: _Member) -> Record | Unreadable:
        beside = self._pictures.get(_stem(member.name))
        if beside is None or isinstance(each, Unreadable):
            return each
        told = dict.fromkeys(self._wanted.images, self._told_of(beside))
        own = {name: text for name, text in each.columns.items() if text or name not in told}
        return structs.replace(each, columns=told | own)

    def _told_of(self, beside: _Member) -> str:
        """What `Picture` says of a member, read once however many records it belongs to."""
        if beside.name not in self._told:
            _refuse(beside)
            picture = Picture()
            with self._opened_bytes(beside) as content:
                picture.add_file(content)
            self._told[beside.name] = str(picture)
        return self._told[beside.name]

    def _survey(self) -> tuple[RowFault, ...]:
        """What the heads of the members say, what they call their columns noted. Raises
        UnreadableFile when none can be read."""
        notices: list[RowFault] = []
        refusals: list[UnreadableFile] = []
        for member in self._members:
            try:
                with self._opened(member) as reader:
                    notices.extend(_in_member(fault, member) for fault in reader.notices)
                    for (sheet, column), own in own_names(reader).items():
                        self._names[_sheet(sheet, member), column] = own
            except UnreadableFile as refusal:
                refusals.append(UnreadableFile(*(_in_member(f, member) for f in refusal.faults)))
        if len(refusals) == len(self._members):
            told = [fault for refusal in refusals for fault in refusal.faults]
            raise UnreadableFile(*(told[:_MOST_TOLD] or [_nothing(self._patterns)]))
        return tuple(notices)

    @contextmanager
    def _opened(self, member: _Member) -> Iterator[Reader]:
        """A reader of a member, which meanwhile stands in a file that has no name: nothing is left
        of it however this process ends."""
        _refuse(member)
        with TemporaryFile() as file:
            with self._opened_bytes(member) as content:
                copyfileobj(content, file, _CHUNK)
            file.flush()
            path = Path(f"/dev/fd/{file.fileno()}")
            with self._opener(path, member.name, self._wanted, self._limits) as reader:
                yield reader

    @contextmanager
    def _opened_bytes(self, member: _Member) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(member.info) as content:
                yield content
        except (BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError):
            reason = "压缩包中的文件已损坏"
            raise _refused(reason, "请重新压缩为 zip，并确认传输完整") from None


def _stem(name: str) -> str:
    """What members are called alike by: all but the ending."""
    return name.rpartition(".")[0]


def _pictures(named: Sequence[_Member]) -> dict[str, _Member]:
    """The picture of each that has one, by what it is called: one that is called just so, before
    one that is called so but for capitals."""
    called = {_stem(each.name) for each in named if not is_picture(each.name)}
    just_so: dict[str, _Member] = {}
    alike: dict[str, _Member] = {}
    for each in named:
        if is_picture(each.name):
            stem = _stem(each.name)
            if stem in called:
                just_so[stem] = each
            else:
                alike[stem.casefold()] = each
    found = {stem: just_so.get(stem) or alike.get(stem.casefold()) for stem in called}
    return {stem: picture for stem, picture in found.items() if picture}


def _is_peoples(name: str) -> bool:
    """Whether people put a member there, and not their system."""
    parts = PurePosixPath(name).parts
    return not any(part in _NOT_PEOPLES or part.startswith("._") for part in parts)


def _refuse(member: _Member) -> None:
    parts = re.split(r"[/\\\\]", member.name)
    if ".." in parts or not parts[0] or ":" in parts[0] or "\0" in member.name:
        raise _refused("压缩包中的文件名带有越界的路径", "请重新压缩，不要带上级目录或盘符")
    if stat.S_ISLNK(member.info.external_attr >> 16):
        raise _refused("压缩包中的是符号链接，不是文件", "请把所指的文件本身放入压缩包")
    if member.info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise _refused("压缩包的压缩方式不受支持", "请用一般的 zip 方式重新压缩")


def _placed(
    each: Record | Unreadable, before: int, name: str, member: _Member
) -> Record | Unreadable:
    place = _place(each.place, name, member)
    number = before + each.number
    if isinstance(each, Record):
        places = {
            group: [_place(part, name, member) for part in parts]
            for group, parts in each.places.items()
        }
        return structs.replace(each, number=number, place=place, places=places)
    faults = tuple(_in_member(fault, member) for fault in each.faults)
    return Unreadable(number=number, place=place, faults=faults)


def _place(place: Place, name: str, member: _Member) -> Place:
    return Place(name, place.row, _sheet(place.sheet, member))


def _in_member(fault: RowFault, member: _Member) -> RowFault:
    return replace(fault, sheet=_sheet(fault.sheet, member))


def _sheet(sheet: str, member: _Member) -> str:
    return f"{member.name}/{sheet}" if sheet else member.name


def _nothing(patterns: Sequence[str]) -> RowFault:
    reason = "压缩包里没有可读取的文件"
    if patterns:
        reason += f"（文件名须为 {quoted(patterns)}）"
    return RowFault(0, "", FaultKind.FILE, reason, "请核对压缩包的内容")


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
