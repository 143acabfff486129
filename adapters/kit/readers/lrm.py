"""A reader of LRM: an appointment form as one record of quoted fields, known by their positions.

Its fields come under the names that the later form in XML (LRMX) gives to the same.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.encoding import TextFile, as_2022
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import Wanted, canonical

_SUFFIX: Final = ".lrm"
_MOST_BYTES: Final = 1 << 20
_BETWEEN: Final = '","'
# By position; None is not in use. 9, 10 and 20 to 24 hold several each.
_FIELDS: Final = (
    "XingMing", "XingBie", "ChuShengNianYue", "MinZu", "JiGuan", "RuDangShiJian",
    "JianKangZhuangKuang", "ChuShengDi", "CanJiaGongZuoShiJian", None, None,
    "ZhuanYeJiShuZhiWu", None, None, None, None, "ShuXiZhuanYeYouHeZhuanChang", "JianLi",
    "JiangChengQingKuang", "NianDuKaoHeJieGuo", None, None, None, None, None, "XianRenZhiWu",
    "NiRenZhiWu", "NiMianZhiWu", "RenMianLiYou", "ChengBaoDanWei", "JiSuanNianLingShiJian",
    "TianBiaoShiJian", "TianBiaoRen",
)  # fmt: skip
_WAYS: Final = ("QuanRiZhiJiaoYu", "ZaiZhiJiaoYu")
_LEVELS: Final = (9, ("XueLi", "XueWei"))
_SCHOOLS: Final = (10, ("XueLi_BiYeYuanXiaoXi", "XueWei_BiYeYuanXiaoXi"))
_FAMILY: Final = "jiatingchengyuan/item"
_RELATIVES: Final = {
    20: "ChengWei",
    21: "XingMing",
    22: "ChuShengRiQi",
    23: "ZhengZhiMianMao",
    24: "GongZuoDanWeiJiZhiWu",
}
_FORM: Final = "@form"


class LrmFile:
    """`Reader` of one LRM form: one record, whose form (`@form`) is `lrm`.

    Opening raises UnreadableFile when there are too few fields, or quotes that do not match.
    """

    def __init__(self, file: TextFile, *, name: str, wanted: Wanted, limits: Limits) -> None:
        self._name = name
        self._wanted = wanted
        self._limits = limits
        self._fields = _fields(_text(file))

    @property
    def notices(self) -> tuple[RowFault, ...]:
        return ()

    @property
    def rows(self) -> int | None:
        return 1

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        if after < 1:
            yield self._record()

    def _record(self) -> Record | Unreadable:
        place = Place(self._name, 1)
        if faults := tuple(self._faults()):
            return Unreadable(1, place, faults)
        told = {_FORM: "lrm"} | {
            canonical(name): text
            for name, text in zip(_FIELDS, self._fields, strict=False)
            if name is not None
        }
        for at, parts in (_LEVELS, _SCHOOLS):
            told |= _schooling(self._fields[at], parts)
        columns = {name: text for name, text in told.items() if name in self._wanted.titles}
        groups = {
            name: _relatives(self._fields)
            for name, group in self._wanted.groups.items()
            if group.each == _FAMILY
        }
        return Record(1, place, columns, groups)

    def _faults(self) -> Iterator[RowFault]:
        for at, text in enumerate(self._fields):
            if len(text) > self._limits.cell_characters:
                reason = f"第 {at} 项超过 {self._limits.cell_characters} 字（从 0 数起）"
                yield RowFault(1, "", FaultKind.TOO_LONG, reason, "请缩短后重新导出")
        if len({len(_items(self._fields[at])) for at in _RELATIVES}) > 1:
            reason = "家庭成员的称谓、姓名、出生年月、政治面貌、工作单位（第 20 至 24 项）个数不同"
            advice = "请在任免审批表软件中核对家庭成员后重新保存"
            yield RowFault(1, "", FaultKind.MISMATCH, reason, advice)


def is_lrm(name: str) -> bool:
    """Whether a document is called an LRM form; what it holds does not tell it from a CSV."""
    return name.lower().endswith(_SUFFIX)


def _text(file: TextFile) -> str:
    if file.path.stat().st_size > _MOST_BYTES:
        raise _refused(f"任免审批表超过 {_MOST_BYTES >> 20} MiB", "请核对是否为 LRM 文件")
    text = file.path.read_text(encoding=file.encoding)
    return as_2022(text) if file.encoding == "gb18030" else text


def _fields(text: str) -> list[str]:
    record = text.strip("\ufeff\x1a \t\r\n")
    advice = "请用任免审批表软件打开后重新保存，或改存为 LRMX"
    if len(record) < len('""') or not (record.startswith('"') and record.endswith('"')):
        raise _refused("不是完整的 LRM：首尾没有引号，文件可能不全", advice)
    fields = record[1:-1].split(_BETWEEN)
    if len(fields) < len(_FIELDS):
        raise _refused(f"LRM 应至少有 {len(_FIELDS)} 项，只有 {len(fields)} 项", advice)
    for at, field in enumerate(fields):
        if '"' in field:
            raise _refused(f"LRM 第 {at} 项的引号不成对（从 0 数起）", advice)
    return fields


def _schooling(field: str, parts: tuple[str, str]) -> dict[str, str]:
    """`a#b@c#d`: of each way two parts."""
    told = {}
    for way, said in zip(_WAYS, field.split("@"), strict=False):
        for part, text in zip(parts, said.split("#"), strict=False):
            told[canonical(f"{way}_{part}")] = text
    return told


def _items(field: str) -> list[str]:
    """`a@b@|`: what stands between the marks, blank or not."""
    return field.strip().removesuffix("|").removesuffix("@").split("@")


def _relatives(fields: list[str]) -> list[dict[str, str]]:
    lists = [_items(fields[at]) for at in _RELATIVES]
    names = [canonical(name) for name in _RELATIVES.values()]
    return [dict(zip(names, said, strict=True)) for said in zip_longest(*lists, fillvalue="")]


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
