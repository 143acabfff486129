"""What 入党时间 of an appointment form says: the Party, other parties, or both, with or without
the month (domain: the shapes in use are told in `forms/README.md`)."""

import re
import unicodedata
from typing import Final

from adapters.kit.convert import Wrong
from adapters.kit.days import lost_a_zero, month_of
from adapters.kit.port import FaultKind

# By what forms call them: codes of GB/T 4762.
_PARTIES: Final = {
    "中共预备党员": "02",
    "预备党员": "02",
    "中国共产党": "01",
    "中共": "01",
    "共青团": "03",
    "民革": "04",
    "民盟": "05",
    "民建": "06",
    "民进": "07",
    "农工": "08",
    "致公": "09",
    "九三": "10",
    "台盟": "11",
    "无党派": "12",
    "群众": "13",
}
_PARTY: Final = re.compile(f"(?<!非)(?:{'|'.join(_PARTIES)})")
_MONTH: Final = re.compile(r"[0-9]{4}(?:\s*[-./年]\s*[0-9]{1,2}月?|[0-9]{2}(?![0-9]))")
_BETWEEN: Final = re.compile(r"[、;,\n]+")
_CPC: Final = "01"
_NO_MONTH: Final = Wrong(
    FaultKind.DATE, "中的年月无效", "请写成 1972.04 这样的年月；民主党派写简称，如“民建”"
)


def political(written: str) -> str | Wrong | None:
    """The code of the political status, None where the text does not say.

    A month alone is when somebody joined the Communist Party, with a party's name when they joined
    that. Of several the Communist Party counts, else the first.
    """
    text = unicodedata.normalize("NFKC", written)
    codes = []
    for part in _BETWEEN.split(text):
        months = _MONTH.findall(part)
        if not all(month_of(each) or lost_a_zero(each) for each in months):
            return _NO_MONTH
        named = [_PARTIES[each] for each in _PARTY.findall(part)]
        codes += named or ([_CPC] if months else [])
    return _CPC if _CPC in codes else next(iter(codes), None)
