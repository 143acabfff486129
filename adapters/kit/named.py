"""People and units as a ledger's cells name them."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind
from adapters.kit.rows import Row

# What a database keeps enciphered is no name, and nobody here has the key.
_ENCIPHERED: Final = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
ENCIPHERED: Final = Wrong(
    FaultKind.CONTRACT,
    "像是数据库中加密保存的内容，不是姓名或名称",
    "加密的列不读取也不传送，请在视图或站点映射中去掉该列，由经办人在台账中填写",
)


def signed(row: Row, field: str) -> list[dict[str, Any]]:
    """Those whom a cell names, as `Handler`s, in the order of their signatures."""
    return [{"name": name} for name in _names(row, field)]


def org(name: object) -> dict[str, Any] | None:
    """A unit by its name alone, as an `OrgRef`."""
    return {"name": name} if name else None


def named_in_cipher(row: Row) -> Iterator[str]:
    """The fields of names in which a cell holds what a database enciphered."""
    for field in row.values:
        names = _names(row, field) if row.fields[field].reads in ("name", "names") else ()
        if any(map(_ENCIPHERED.fullmatch, names)):
            yield field


def _names(row: Row, field: str) -> list[str]:
    said = (row.values.get(field), *row.of_each(field).values())
    each = chain.from_iterable(names if isinstance(names, list) else [names] for names in said)
    return [name for name in each if isinstance(name, str)]
