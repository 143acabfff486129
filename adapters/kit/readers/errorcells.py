"""Which cells of an xlsx show an error (#N/A, #REF!): calamine gives them as blank.

What is not written as spreadsheets write it is not found, and stays blank.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final
from zipfile import BadZipFile, ZipFile

from lxml import etree

_CHUNK: Final = 1 << 20
_LONGEST_TAG: Final = 200
_CELL: Final = re.compile(rb'<c (?=[^<>]*\bt="e")[^<>]*\br="([A-Z]{1,3})([0-9]{1,7})"')
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def error_cells(path: Path) -> dict[str, list[tuple[int, int]]]:
    """By the name of the sheet: row and column of each, from 0; nothing of what is no xlsx."""
    try:
        with ZipFile(path) as book:
            return {name: list(_errors_of(book, part)) for name, part in _parts(book)}
    except (BadZipFile, KeyError, etree.XMLSyntaxError, NotImplementedError, RuntimeError):
        return {}


def _parts(book: ZipFile) -> Iterator[tuple[str, str]]:
    targets = {
        each.get("Id"): each.get("Target", "") for each in _root(book, "xl/_rels/workbook.xml.rels")
    }
    for sheet in _root(book, "xl/workbook.xml").iterfind(".//{*}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in book.namelist():
            yield sheet.get("name", ""), part


def _root(book: ZipFile, part: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(book.read(part), parser)


def _errors_of(book: ZipFile, part: str) -> Iterator[tuple[int, int]]:
    with book.open(part) as content:
        for text in _between_tags(content):
            if b't="e"' in text:
                for letters, row in _CELL.findall(text):
                    yield int(row) - 1, _column(letters)


def _between_tags(content: IO[bytes]) -> Iterator[bytes]:
    """The content in pieces that do not end within a tag."""
    rest = b""
    while chunk := content.read(_CHUNK):
        text = rest + chunk
        cut = text.rfind(b"<")
        if len(text) - cut > _LONGEST_TAG:
            cut = len(text)
        yield text[:cut]
        rest = text[cut:]
    yield rest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number - 1
