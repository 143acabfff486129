"""What data sets share, whoever publishes them: the table, its columns and the file it is in."""

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.classes import F0, F1
from contracts.common import DocRef, Part
from contracts.rules import rule, unique
from contracts.values import Count, Identifier, Line

# How far what a column holds may travel once the file is opened.
Sensitivity = Literal["F0", "F1", "F2", "F3"]


class Column(Part):
    """A column of a table: its name in the file, what it means, its unit."""

    name: Annotated[Line, F1("栏目名", "column")]
    meaning: Annotated[Line | None, F1("中文含义", "meaning")] = None
    unit: Annotated[Line | None, F1("计量单位", "unit")] = None
    sensitivity: Annotated[
        Sensitivity,
        F1("敏感级别", "sensitivity", "F0 公开，F1 内部，F2 个人，F3 敏感个人信息"),
    ]


def _no_digest(it: Any) -> bool:
    return it.file.sm3 is None and it.file.sha256 is None


class Table(Part):
    """A table in a file: the file travels by itself and is known by its digest."""

    RULES = (
        unique("columns", "name", "栏目名不得重复", "a column stands twice", "column_repeated"),
        rule(
            "digest_missing",
            "file",
            "数据文件须填 SM3 或 SHA-256 摘要，以便核对",
            "the file needs a digest by which it is known",
            _no_digest,
        ),
    )

    file: Annotated[DocRef, F1("数据文件", "file")]
    format: Annotated[
        Identifier, F0("文件格式", "format", "如 xlsx、csv、json、xml、sdmx-ml、gbt24589")
    ]
    rows: Annotated[Count, F1("行数", "rows")]
    columns: Annotated[
        tuple[Column, ...], Field(min_length=1, max_length=500), F1("栏目", "columns")
    ]
