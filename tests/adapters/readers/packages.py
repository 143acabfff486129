"""Packages of tables as exports write them: zips and 7z."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

from py7zr import SevenZipFile

from adapters.kit.wanted import Wanted, WantedGroup

PASSWORD = "样例Mima-2026"
Row = Mapping[str, str]
WANTED = Wanted(
    titles={
        "a0000": "编号",
        "a0101": "姓名",
        "a1701": "简历",
        "@form": "格式",
        "gwyinfo/time": "时间",
        "photo": "照片",
    },
    required=frozenset({"a0000"}),
    ignored=frozenset(),
    records="A01",
    key="a0000",
    images=frozenset({"photo"}),
    groups={
        "family": WantedGroup("a36", {"a3601": "姓名"}),
        "assessed": WantedGroup("a15", {"a1521": "年度"}),
    },
)


def table(rows: Sequence[Row]) -> bytes:
    """An HZB table."""
    each = (" ".join(f"{k}={quoteattr(v)}" for k, v in row.items()) for row in rows)
    lines = "\n".join(f"<row {attributes}/>" for attributes in each)
    return f'<?xml version="1.0" encoding="utf-8"?><xml><data>\n{lines}\n</data></xml>'.encode()


def rowset(rows: Sequence[Row]) -> bytes:
    """A ZB3 table."""
    each = (" ".join(f"{k}={quoteattr(v)}" for k, v in row.items()) for row in rows)
    lines = "".join(f"<z:row {attributes}/>" for attributes in each)
    spaces = "xmlns:rs='urn:schemas-microsoft-com:rowset' xmlns:z='#RowsetSchema'"
    return f"<xml {spaces}><rs:data>{lines}</rs:data></xml>".encode()


def renamed(rows: Sequence[Row], schema: Row, more: str = "") -> bytes:
    """A ZB3 table whose attributes (`schema`: attribute → column) are not called like columns;
    `more` stands behind its rows."""
    kinds = "".join(
        f"<s:AttributeType name={quoteattr(name)} rs:name={quoteattr(column)} rs:number='1'>"
        "<s:datatype dt:type='string' dt:maxLength='400'/></s:AttributeType>"
        for name, column in schema.items()
    )
    spaces = (
        "xmlns:s='uuid:BDC6E3F0-6DA3-11d1-A2A3-00AA00C14882' "
        "xmlns:dt='uuid:C2F41010-65B3-11d1-A29F-00AA00C14882' "
    )
    whole = rowset(rows).replace(b"<xml ", f"<xml {spaces}".encode())
    element = f"<s:ElementType name='row' content='eltOnly'>{kinds}</s:ElementType>"
    before, data, behind = whole.partition(b"<rs:data>")
    schemas = f"<s:Schema id='RowsetSchema'>{element}</s:Schema>".encode()
    return before + schemas + data + behind.replace(b"</rs:data>", f"{more}</rs:data>".encode())


def about(*tables: str) -> bytes:
    """A `gwyinfo.xml` that lists tables."""
    listed = "".join(f'<tablelist name="{name}"/>' for name in tables)
    nodes = '<node name="time" value="2026-02-10"/><node name="other" value="1"/>'
    return f"<root>{nodes}<tablelist>{listed}</tablelist></root>".encode()


def members(tables: Mapping[str, bytes], **others: bytes) -> dict[str, bytes]:
    """The members of a package, by their paths."""
    packed = {f"导出/Table/{name}.xml": content for name, content in tables.items()}
    return {"导出/gwyinfo.xml": about(*tables)} | packed | others


def zipped(inside: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    return out.getvalue()


def seven(inside: Mapping[str, bytes], password: str | None = None) -> bytes:
    """A 7z; with a password its list of members is enciphered too."""
    out = io.BytesIO()
    with SevenZipFile(out, "w", password=password, header_encryption=bool(password)) as archive:
        for name, content in inside.items():
            archive.writestr(content, name)
    return out.getvalue()
