"""Which reader a document gets: by what it holds, and only then by what it is called."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from adapters.kit.port import FaultKind, Reader, RowFault, UnreadableFile
from adapters.kit.readers.csv import CsvFile, examine_csv
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.readers.sheet import opened_workbook
from adapters.kit.readers.zipped import members_of
from adapters.kit.wanted import Wanted

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EXPORT: Final = "请从系统导出 xlsx、xls、CSV、XML 或 JSON 后重新提供"
_REPACK: Final = "请解开后改用 zip 压缩，或直接提供其中的文件"
# By the first bytes: what it is, and what to do.
_FOREIGN: Final[Mapping[bytes, tuple[str, str]]] = {
    b"%PDF": ("PDF 文件", _EXPORT),
    b"{\\rtf": ("RTF 文档", _EXPORT),
    b"\xff\xd8\xff": ("图片", _EXPORT),
    b"\x89PNG": ("图片", _EXPORT),
    b"7z\xbc\xaf\x27\x1c": ("7z 压缩包", _REPACK),
    b"Rar!": ("RAR 压缩包", _REPACK),
    b"\x1f\x8b": ("gzip 压缩包", _REPACK),
}
# By a member of a zip.
_PACKED_WORKBOOKS: Final = frozenset({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})
_PACKED_FOREIGN: Final = {
    "word/document.xml": "Word 文档",
    "ppt/presentation.xml": "演示文稿",
    "OFD.xml": "OFD 文件",
}
# By a stream of a compound file, as its directory names it.
_COMPOUND_FOREIGN: Final = {
    "EncryptedPackage": ("工作簿设有打开密码", "请在表格软件中取消密码后另存"),
    "WordDocument": ("这是Word 文档，不能读取", _EXPORT),
    "PowerPoint Document": ("这是演示文稿，不能读取", _EXPORT),
}
_HEAD: Final = 4096


@contextmanager
def opened(path: Path, name: str, wanted: Wanted, limits: Limits = SPREADSHEET) -> Iterator[Reader]:
    """A reader of the document at `path`, which people call `name`.

    Raises UnreadableFile, with advice, for what is no document that can be read, or OSError.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        size = file.seek(0, 2)
    _refuse_foreign(head)
    if head.startswith(_OLE):
        _within(size, limits.whole_bytes)
        _refuse_compound_foreign(path.read_bytes())
        with opened_workbook(path, name, wanted, limits) as workbook:
            yield workbook
    elif head.startswith(_ZIP):
        _refuse_packed_foreign({member.filename for member in members_of(path, limits)})
        _within(size, limits.whole_bytes)
        with opened_workbook(path, name, wanted, limits) as workbook:
            yield workbook
    else:
        yield CsvFile(examine_csv(path, limits), name=name, wanted=wanted, limits=limits)


def _refuse_foreign(head: bytes) -> None:
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise _refused("文件里没有内容", "请确认导出完成后再提供")
    for mark, (what, advice) in _FOREIGN.items():
        if head.startswith(mark):
            raise _refused(f"这是{what}，不能读取", advice)


def _refuse_compound_foreign(content: bytes) -> None:
    for stream, (reason, advice) in _COMPOUND_FOREIGN.items():
        if stream.encode("utf-16-le") + b"\0\0" in content:
            raise _refused(reason, advice)


def _refuse_packed_foreign(names: set[str]) -> None:
    for member, what in _PACKED_FOREIGN.items():
        if member in names:
            raise _refused(f"这是{what}，不能读取", _EXPORT)


def _within(size: int, most: int) -> None:
    if size > most:
        raise _refused(f"文件超过 {most >> 20} MiB", "请按时间段分成几个文件导出")


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
