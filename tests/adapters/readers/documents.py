"""The same table written in every form that agencies use."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import xlwt
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import Reader, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.readers.opening import opened
from adapters.kit.wanted import Wanted

WANTED = Wanted(
    titles={"no": "编号", "day": "日期", "note": "备注"},
    required=frozenset({"no", "day"}),
    ignored=frozenset({"letter"}),
    also={"登记日": "day"},
    records="record",
)
COLUMNS = ("no", "day", "letter", "note")

Rows = Sequence[Sequence[str]]
Lay = Callable[[Worksheet], None]


@dataclass
class Reading:
    """All that a document gives."""

    records: list[Record | Unreadable]
    notices: tuple[RowFault, ...]
    rows: int | None
    faults: tuple[RowFault, ...]

    @property
    def columns(self) -> list[dict[str, str]]:
        return [dict(each.columns) for each in self.records if isinstance(each, Record)]

    @property
    def numbers(self) -> list[int]:
        return [each.number for each in self.records]

    @property
    def unreadable(self) -> list[RowFault]:
        found = [each.faults for each in self.records if isinstance(each, Unreadable)]
        return [fault for faults in found for fault in faults]


def read(
    path: Path,
    wanted: Wanted = WANTED,
    *,
    after: int = 0,
    limits: Limits = SPREADSHEET,
    name: str = "",
) -> Reading:
    """Read a document to its end, or to where it cannot be read any more."""
    got = Reading([], (), None, ())
    try:
        with opened(path, name or path.name, wanted, limits) as reader:
            got.notices, got.rows = reader.notices, reader.rows
            got.records.extend(_until_broken(reader, after, got))
    except UnreadableFile as error:
        got.faults = error.faults
    return got


def _until_broken(reader: Reader, after: int, got: Reading) -> Iterator[Record | Unreadable]:
    try:
        yield from reader.read(after)
    except UnreadableFile as error:
        got.faults = error.faults


def written_csv(rows: Rows, *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def written_xlsx(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            if cell:
                sheet.cell(number, column).value = cell
                sheet.cell(number, column).data_type = "s"
    return saved(book)


def saved(book: openpyxl.Workbook | xlwt.Workbook) -> bytes:
    """The bytes of a workbook."""
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def written_xls(rows: Rows) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("表")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell:
                sheet.write(number, column, cell)
    return saved(book)


def written_ods(rows: Rows) -> bytes:
    table = "".join(
        "<table:table-row>"
        + "".join(
            '<table:table-cell office:value-type="string">'
            + "".join(f"<text:p>{escape(line)}</text:p>" for line in cell.split("\n"))
            + "</table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    return ods_of(f'<table:table table:name="表">{table}</table:table>')


def ods_of(tables: str) -> bytes:
    """An OpenDocument spreadsheet of these tables."""
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.2"'
        f' xmlns:office="{names}:office:1.0" xmlns:table="{names}:table:1.0"'
        f' xmlns:text="{names}:text:1.0"><office:body><office:spreadsheet>{tables}'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest'
        f' xmlns:manifest="{names}:manifest:1.0"><manifest:file-entry manifest:full-path="/"'
        f' manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return zip_of({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def busy_workbook() -> bytes:
    """One whose wrong tag keeps the library busy for ever."""
    return ods_of('<table:table table:name="表"><table:table-row/></table:tables>')


def zip_of(members: Mapping[str, str | bytes]) -> bytes:
    """A zip of these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


TABLES: dict[str, Callable[[Rows], bytes]] = {
    "csv": written_csv,
    "tsv": lambda rows: written_csv(rows, delimiter="\t", encoding="gb18030"),
    "utf16": lambda rows: written_csv(rows, delimiter="\t", encoding="utf-16"),
    "xlsx": written_xlsx,
    "xls": written_xls,
    "ods": written_ods,
}


def written_xml(rows: Rows) -> bytes:
    header, *others = rows
    records = "".join(
        "<record>"
        + "".join(
            f"<{name}>{escape(cell)}</{name}>" for name, cell in zip(header, row, strict=True)
        )
        + "</record>"
        for row in others
    )
    text = f'<?xml version="1.0" encoding="GB2312"?>\n<list>{records}</list>'
    return text.encode("gb18030")


def written_json(rows: Rows) -> bytes:
    header, *others = rows
    return json.dumps({"record": [dict(zip(header, row, strict=True)) for row in others]}).encode()


def written_ndjson(rows: Rows) -> bytes:
    header, *others = rows
    lines = (dict(zip(header, row, strict=True)) for row in others)
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode("gbk")


FORMS: dict[str, Callable[[Rows], bytes]] = {
    **TABLES,
    "xml": written_xml,
    "json": written_json,
    "ndjson": written_ndjson,
    "zip": lambda rows: zip_of({"里面/表.csv": written_csv(rows)}),
}


def laid_out(path: Path, lay: Lay, wanted: Wanted = WANTED) -> Reading:
    """What an xlsx of one sheet gives that `lay` filled in."""
    book = openpyxl.Workbook()
    lay(book.worksheets[0])
    book.save(path)
    return read(path, wanted)
