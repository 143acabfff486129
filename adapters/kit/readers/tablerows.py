"""The rows of a package's table: `<row …/>`, or those of an ADO rowset (`z:row`)."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Final, cast

from lxml import etree

from adapters.kit.port import FaultKind, RowFault, UnreadableFile
from adapters.kit.readers.cut import CutText
from adapters.kit.readers.elements import DoctypeMet, TooMuch, expect_short
from adapters.kit.wanted import canonical

_ROW: Final = ("row",)
_ROWSET: Final = "#RowsetSchema"
# Of a rowset: the schema of its attributes, the names of their columns, changes that wait.
_ATTRIBUTE: Final = "{uuid:bdc6e3f0-6da3-11d1-a2a3-00aa00c14882}attributetype"
_COLUMN: Final = "{urn:schemas-microsoft-com:rowset}name"
_PENDING: Final = frozenset(
    f"{{urn:schemas-microsoft-com:rowset}}{change}" for change in ("update", "delete")
)
_DEPTH: Final = 16
_MOST_COLUMNS: Final = 1_000
# As many names of columns are remembered.
_MOST_NAMES: Final = 10_000
# Parsers make blanks of line breaks in attributes, and some writers do not know that.
_BROKEN_LINES: Final = re.compile(r"""=\s*(?:"[^"<\r\n]*[\r\n][^"<]*"|'[^'<\r\n]*[\r\n][^'<]*')""")
_LINE_END: Final = re.compile(r"\r\n?|\n")


class _Rows:
    """A target for lxml's parser: the attributes of rows, and whether they are a rowset's.

    An attribute of a rowset is called as its schema names the column; of two columns of one name
    the first counts, as for the library that wrote them.
    """

    def __init__(self, tags: Collection[str]) -> None:
        self._tags = tags
        self._found: list[Mapping[str, str]] = []
        self._depth = 0
        self._names: dict[str, str] = {}
        self._columns: set[str] = set()
        self.rowset = False

    def taken(self) -> Iterator[Mapping[str, str]]:
        found, self._found = self._found, []
        yield from found

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """The parser tells where one begins, before it has read what the DOCTYPE declares."""
        raise DoctypeMet

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise TooMuch(f"嵌套超过 {_DEPTH} 层")
        expect_short(tag)
        space, _, local = tag.rpartition("}")
        if local in self._tags:
            self.rowset |= space.endswith(_ROWSET)
            if len(attributes) > _MOST_COLUMNS:
                raise TooMuch(f"中有一行超过 {_MOST_COLUMNS} 栏")
            name = self._name
            self._found.append({name(key): text for key, text in attributes.items()})
        elif tag.casefold() == _ATTRIBUTE:
            self._rename(attributes)
        elif tag in _PENDING:
            raise UnreadableFile(_fault("表中有尚未保存的修改（rs:update、rs:delete）"))

    def end(self, tag: str) -> None:
        self._depth -= 1

    def close(self) -> None:
        """Nothing is kept that the end of the table would settle."""

    def _rename(self, attributes: Mapping[str, str]) -> None:
        named = attributes.get("name", "")
        column = attributes.get(_COLUMN, named)
        expect_short(named)
        expect_short(column)
        if len(self._names) >= _MOST_COLUMNS:
            raise TooMuch(f"的结构说明超过 {_MOST_COLUMNS} 栏")
        known = canonical(column)
        self._names[named] = "" if known in self._columns else known
        self._columns.add(known)

    def _name(self, key: str) -> str:
        known = self._names.get(key)
        if known is None:
            expect_short(key)
            known = canonical(key)
            if len(self._names) < _MOST_NAMES:
                self._names[key] = known
        return known


class TableRows:
    """The rows of one table in their order, or what else stands in elements of these names.
    `rowset` and `cut` are known at its end."""

    def __init__(self, content: IO[bytes], tags: Collection[str] = _ROW) -> None:
        self._text = CutText(content)
        self._rows = _Rows(tags)

    @property
    def rowset(self) -> bool:
        return self._rows.rowset

    @property
    def cut(self) -> int:
        """How many strings ended in half a character."""
        return self._text.cut

    def read(self) -> Iterator[Mapping[str, str]]:
        """Columns by canonical name, with the line breaks that stand in them. Raises UnreadableFile
        where the table is broken."""
        parser = etree.XMLParser(
            target=cast("etree.ParserTarget", self._rows),
            encoding="utf-8",
            # Entities of other files are never read, which is what lxml does unless told otherwise.
            no_network=True,
        )
        try:
            for piece in self._text.pieces():
                parser.feed(_BROKEN_LINES.sub(_kept, piece).encode())
                yield from self._rows.taken()
            parser.close()
        except DoctypeMet:
            raise UnreadableFile(_fault("表中有 DOCTYPE 声明，为安全起见不读取")) from None
        except etree.XMLSyntaxError as error:
            raise UnreadableFile(_fault(f"表从第 {error.lineno} 行起不合语法")) from None
        except TooMuch as error:
            raise UnreadableFile(_fault(f"表{error}")) from None


def _kept(attribute: re.Match[str]) -> str:
    return _LINE_END.sub("&#10;", attribute[0])


def _fault(reason: str) -> RowFault:
    return RowFault(0, "", FaultKind.FILE, reason, "数据包可能不完整，请重新导出")
