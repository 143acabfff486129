"""Which reader a document gets: by what it holds, and only then by what it is called."""

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Final
from zipfile import ZipInfo

from adapters.kit.port import FaultKind, Reader, RowFault, UnreadableFile
from adapters.kit.readers.archive import Archive
from adapters.kit.readers.csv import CsvFile
from adapters.kit.readers.encoding import examine
from adapters.kit.readers.gathered import gathered, rows_of
from adapters.kit.readers.image import is_picture
from adapters.kit.readers.json import JsonFile, NdjsonFile, is_ndjson
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.readers.lrm import LrmFile, is_lrm
from adapters.kit.readers.package import SEVEN, opened_package
from adapters.kit.readers.sheet import OpenWorkbook, opened_workbook
from adapters.kit.readers.unpacking import opened_zip
from adapters.kit.readers.whole import WholeDocument
from adapters.kit.readers.xml import XmlFile, examine_xml
from adapters.kit.readers.zipped import members_of
from adapters.kit.wanted import Wanted

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EXPORT: Final = "请从系统导出 xlsx、xls、CSV、XML 或 JSON 后重新提供"
_REPACK: Final = "请解开后改用 zip 压缩，或直接提供其中的文件"
# By the first bytes: what it is, and what to do.
_FOREIGN: Final[Mapping[bytes, tuple[str, str]]] = {
    b"%PDF": (" PDF 文件", _EXPORT),
    b"{\\rtf": (" RTF 文档", _EXPORT),
    b"\xff\xd8\xff": ("图片", _EXPORT),
    b"\x89PNG": ("图片", _EXPORT),
    SEVEN: (" 7z 压缩包", _REPACK),
    b"Rar!": (" RAR 压缩包", _REPACK),
    b"\x1f\x8b": (" gzip 压缩包", _REPACK),
}
# By members of a zip.
_PACKED_WORKBOOKS: Final = (
    frozenset({"xl/workbook.xml"}),
    frozenset({"xl/workbook.bin"}),
    frozenset({"mimetype", "content.xml"}),
)
_PACKED_FOREIGN: Final = {
    "word/document.xml": " Word 文档",
    "ppt/presentation.xml": "演示文稿",
    "OFD.xml": " OFD 文件",
}
# By a stream of a compound file, as its directory names it.
_COMPOUND_FOREIGN: Final = {
    "EncryptedPackage": ("工作簿设有打开密码", "请在表格软件中取消密码后另存"),
    "WordDocument": ("这是 Word 文档，不能读取", _EXPORT),
    "PowerPoint Document": ("这是演示文稿，不能读取", _EXPORT),
}
_PAGE: Final = re.compile(
    r"(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|meta|table)\b", re.I | re.S
)
_SAVE_AS: Final = "请用表格软件打开，另存为 xlsx 后重新提供"
_LONE_PICTURE: Final = (
    "照片不能单独读取",
    "请把照片和它的表（同名，如 张三.lrm 和 张三.jpg）放进一个 zip，一起重新提供",
)
# What a name decides where the beginning says nothing.
_LINES: Final = frozenset({".ndjson", ".jsonl"})
_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_HEAD: Final = 4096


@contextmanager
def opened(
    path: Path,
    name: str,
    wanted: Wanted,
    limits: Limits = SPREADSHEET,
    open_workbook: OpenWorkbook = opened_workbook,
) -> Iterator[Reader]:
    """A reader of the document at `path`, which people call `name`; where several are opened one
    after the other, `open_workbook` is `opening_again`'s.

    Raises UnreadableFile, with advice, for what is no document that can be read, or OSError.
    """
    if wanted.largest:
        limits = replace(limits, file_bytes=wanted.largest, unpacked_bytes=wanted.largest)
    group = wanted.gathered
    rows = rows_of(wanted.groups[group], wanted) if group else wanted
    with _opened(path, name, rows, limits, open_workbook) as reader:
        if wanted.whole:
            yield WholeDocument(reader, path, name=name, wanted=wanted)
        else:
            yield gathered(reader, group, wanted) if group else reader


@contextmanager
def _opened(
    path: Path, name: str, wanted: Wanted, limits: Limits, open_workbook: OpenWorkbook
) -> Iterator[Reader]:
    """A reader of a document, an archive or a package."""
    head = _head(path)
    if wanted.key and head.startswith((*_ZIP, SEVEN)):
        with opened_package(path, name, wanted, limits) as package:
            yield package
            return
    if head.startswith(_ZIP):
        members = members_of(path, limits)
        if not _is_packed_document(members):
            with opened_zip(path, members, limits, wanted.password) as (archive, inside):
                yield Archive(
                    archive, inside, name=name, wanted=wanted, limits=limits, opener=_opened_single
                )
            return
    with _opened_single(path, name, wanted, limits, open_workbook) as reader:
        yield reader


@contextmanager
def _opened_single(
    path: Path,
    name: str,
    wanted: Wanted,
    limits: Limits,
    open_workbook: OpenWorkbook = opened_workbook,
) -> Iterator[Reader]:
    """A reader of a document that is no archive."""
    if wanted.images and is_picture(name):
        raise _refused(*_LONE_PICTURE)
    head = _head(path)
    _refuse_foreign(head)
    packed = head.startswith(_ZIP)
    if not packed and not head.startswith(_OLE):
        yield _of_text(path, name, wanted, limits, head)
        return
    _within(path.stat().st_size, limits.whole_bytes)
    if packed:
        _refuse_packed_foreign(members_of(path, limits))
    else:
        _refuse_compound_foreign(path.read_bytes())
    with open_workbook(path, name, wanted, limits) as workbook:
        yield workbook


def _of_text(path: Path, name: str, wanted: Wanted, limits: Limits, head: bytes) -> Reader:
    begins = _shown(head)
    suffix = PurePath(name).suffix.lower()
    if begins.startswith("<"):
        _refuse_pages(begins)
        return XmlFile(examine_xml(path, limits), name=name, wanted=wanted, limits=limits)
    file = examine(path, largest=limits.file_bytes)
    if is_lrm(name):
        return LrmFile(file, name=name, wanted=wanted, limits=limits)
    if suffix in _LINES or (begins.startswith("{") and is_ndjson(file)):
        return NdjsonFile(file, name=name, wanted=wanted, limits=limits)
    if begins.startswith(("{", "[")) and suffix not in _TABLES:
        _within(path.stat().st_size, limits.whole_bytes)
        return JsonFile(file, name=name, wanted=wanted, limits=limits)
    return CsvFile(file, name=name, wanted=wanted, limits=limits)


def _shown(head: bytes) -> str:
    """How a text begins, whatever its encoding, as far as this can be told from its ASCII."""
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = head.decode("utf-16" if wide else "utf-8", "ignore")
    return text.lstrip("\ufeff \t\r\n")


def _refuse_pages(begins: str) -> None:
    if _PAGE.match(begins):
        raise _refused("这是网页（HTML），不是表格文件", _SAVE_AS)
    if "urn:schemas-microsoft-com:office:spreadsheet" in begins:
        raise _refused("这是旧式的“XML 表格”，不能读取", _SAVE_AS)


def _refuse_foreign(head: bytes) -> None:
    if len(head) < _HEAD and not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise _refused("文件里没有内容", "请确认导出完成后再提供")
    for mark, (what, advice) in _FOREIGN.items():
        if head.startswith(mark):
            raise _refused(f"这是{what}，不能读取", advice)


def _refuse_compound_foreign(content: bytes) -> None:
    for stream, (reason, advice) in _COMPOUND_FOREIGN.items():
        if stream.encode("utf-16-le") + b"\0\0" in content:
            raise _refused(reason, advice)


def _refuse_packed_foreign(members: Sequence[ZipInfo]) -> None:
    names = {member.filename for member in members}
    for member, what in _PACKED_FOREIGN.items():
        if member in names:
            raise _refused(f"这是{what}，不能读取", _EXPORT)
    if not _is_packed_document(members):
        raise _refused("这是压缩包中的压缩包，不能读取", "请解开里面的一层后重新压缩")


def _is_packed_document(members: Sequence[ZipInfo]) -> bool:
    names = {member.filename for member in members}
    workbook = any(marks <= names for marks in _PACKED_WORKBOOKS)
    return workbook or not names.isdisjoint(_PACKED_FOREIGN)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _within(size: int, most: int) -> None:
    if size > most:
        raise _refused(f"文件超过 {most >> 20} MiB", "请按时间段分成几个文件导出")


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
