"""People and units as a ledger's cells name them."""

import re
from typing import Any, Final

from adapters.kit.convert import Wrong, tidy_name
from adapters.kit.port import FaultKind

_BETWEEN: Final = re.compile(r"[;；、,，\n]+(?![^（(]*[）)])")
# What a database keeps enciphered is no name, and nobody here has the key.
_ENCIPHERED: Final = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
ENCIPHERED: Final = Wrong(
    FaultKind.CONTRACT,
    "像是数据库中加密保存的内容，不是姓名或名称",
    "加密的列不读取也不传送，请在视图或站点映射中去掉该列，由经办人在台账中填写",
)


def handlers(text: str) -> list[dict[str, Any]]:
    """Those who signed, as `Handler`s: one cell names several, in the order of their signatures."""
    return [{"name": name} for name in map(tidy_name, _BETWEEN.split(text)) if name]


def enciphered(text: str) -> bool:
    """Whether a cell holds what a database enciphered."""
    return _ENCIPHERED.fullmatch(text) is not None
