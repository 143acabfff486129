"""A reader of XML documents: records are elements, read one after the other and never kept."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, cast

from lxml import etree

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.elements import DoctypeMet, Elements, TooMuch
from adapters.kit.readers.encoding import TextFile, as_2022, examine
from adapters.kit.readers.header import SEARCHED
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.mending import Mended, mended
from adapters.kit.readers.paths import Paths, Taken, no_record, renamed
from adapters.kit.wanted import Wanted

_CHUNK: Final = 1 << 16
# Chunks that are looked at before reading.
_LOOKED_INTO: Final = 16
_HEAD: Final = 512
_DECLARED: Final = re.compile(rb"<\?xml[^>]{1,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")


class XmlFile:
    """`Reader` of one XML document in UTF-8, UTF-16, GBK or GB18030.

    Names count without their namespaces. The number of a record is its ordinal. Where the
    document is broken, the records before are given, then UnreadableFile is raised; of a document
    with a DOCTYPE there is no record, and so there are no entities. One that is to be mended is
    held as a whole, and must not be larger than `Limits.whole_bytes`.
    """

    def __init__(self, file: TextFile, *, name: str, wanted: Wanted, limits: Limits) -> None:
        self._file = file
        self._name = name
        self._wanted = wanted
        self._limits = limits
        self._mended = _mended(file, limits) if wanted.mended else None
        seen: set[str] = set()
        self._whole: list[Taken] | None = None
        self._empty = not self._has_record(seen)
        self._unread = _unread(seen, Paths.of(wanted))

    @property
    def notices(self) -> tuple[RowFault, ...]:
        repaired = self._mended.notices if self._mended else ()
        return (*repaired, no_record(self._wanted)) if self._empty else repaired

    @property
    def rows(self) -> int | None:
        return None

    @property
    def unread(self) -> tuple[str, ...]:
        """Paths of the first records that nobody wants, sorted."""
        return self._unread

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        every: Iterable[Taken]
        if self._whole is None:
            every = self._taken(Elements(Paths.of(self._wanted), self._limits))
        else:
            every = self._whole
        for number, taken in enumerate(every, start=1):
            if number > after:
                yield taken.record(number, Place(self._name, number))

    def _has_record(self, seen: set[str]) -> bool:
        """Looks at the first records, also when soon behind them the document is broken, and not
        far into one that is very long. Raises UnreadableFile."""
        elements = Elements(Paths.of(self._wanted), self._limits, seen)
        first: list[Taken] = []
        short = self._length <= _LOOKED_INTO * _CHUNK
        try:
            first.extend(islice(self._taken(elements, _LOOKED_INTO), SEARCHED))
            # A short one is not read again.
            self._whole = first if short and len(first) < SEARCHED else None
        except UnreadableFile:
            if not first:
                raise
        if first and (refusal := renamed(seen, self._wanted)):
            raise refusal
        return elements.begun or not short

    def _taken(self, elements: Elements, most: int | None = None) -> Iterator[Taken]:
        """The records of the document, or of its first so many chunks."""
        # The text is decoded before: what is declared is not always what is there.
        parser = etree.XMLParser(
            target=cast("etree.ParserTarget", elements),
            encoding="utf-8",
            # Entities of other files are never read, which is what lxml does unless told otherwise.
            no_network=True,
        )
        try:
            for number, chunk in enumerate(self._chunks()):
                if number == most:
                    return
                parser.feed(chunk)
                yield from elements.finished()
            parser.close()
        except DoctypeMet:
            reason = "XML 中有 DOCTYPE 声明，为安全起见不读取"
            raise UnreadableFile(_fault(reason, "请去掉 <!DOCTYPE …> 后重新导出")) from None
        except (etree.XMLSyntaxError, TooMuch) as error:
            yield from elements.finished()
            raise UnreadableFile(_broken(error)) from None

    @property
    def _length(self) -> int:
        """Of the document, in characters or bytes."""
        return len(self._mended.text) if self._mended else self._file.path.stat().st_size

    def _chunks(self) -> Iterator[bytes]:
        """The document in UTF-8."""
        if self._mended is None and self._file.encoding == "utf-8-sig":
            return _raw(self._file.path)
        text = _cut(self._mended.text) if self._mended else _pieces(self._file)
        return (piece.encode() for piece in text)


def examine_xml(path: Path, limits: Limits) -> TextFile:
    """What an XML document is before it is read. Raises UnreadableFile, or OSError."""
    with path.open("rb") as file:
        declared = _DECLARED.search(file.read(_HEAD))
    encoding = declared[1].decode("ascii") if declared else ""
    return examine(path, largest=limits.file_bytes, declared=encoding)


def _unread(seen: set[str], paths: Paths) -> tuple[str, ...]:
    """What stands in a text that is wanted belongs to it."""
    leaves = paths.leaves[""]
    known = {*leaves, *paths.ways, *paths.groups, *paths.tables}
    inside = tuple(f"{leaf}/" for leaf in leaves)
    return tuple(sorted(path for path in seen - known if not path.startswith(inside)))


def _mended(file: TextFile, limits: Limits) -> Mended:
    if file.path.stat().st_size > limits.whole_bytes:
        reason = f"文件超过 {limits.whole_bytes >> 20} MiB"
        raise UnreadableFile(_fault(reason, "请分成几个文件导出"))
    return mended("".join(_pieces(file)))


def _raw(path: Path) -> Iterator[bytes]:
    """The bytes of a document that was found to be sound UTF-8."""
    with path.open("rb") as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:
            file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _cut(text: str) -> Iterator[str]:
    return (text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK))


def _pieces(file: TextFile) -> Iterator[str]:
    with file.path.open(encoding=file.encoding, newline="") as text:
        while chunk := text.read(_CHUNK):
            yield as_2022(chunk) if file.encoding == "gb18030" else chunk


def _broken(error: etree.XMLSyntaxError | TooMuch) -> RowFault:
    if isinstance(error, TooMuch):
        return _fault(f"XML {error}，此后的内容没有读取", "请核对文件是否正确，或分成几个文件")
    reason = f"XML 从第 {error.lineno} 行起不合语法，此后的内容无法读取"
    advice = "请检查该行的标签是否成对、& 和 < 是否写成 &amp; 和 &lt;，或重新导出；此前的记录已处理"
    return _fault(reason, advice)


def _fault(reason: str, advice: str) -> RowFault:
    return RowFault(0, "", FaultKind.FILE, reason, advice)
