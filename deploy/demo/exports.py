"""The demo's petition exports: synthetic, the same every time, with the mistakes people make.

    python -m deploy.demo.exports DIRECTORY

Three GBK files as a bureau's system writes them. Persons, bodies and numbers are invented; numbers
have right check digits, but place codes and ranges that are not issued.
"""

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from adapters.kit.port import FaultKind
from adapters.kit.readers.header import name_columns
from contracts.identifiers import citizen_id_with_check_digit

_COLUMNS: Final = (
    "xfjbh,xzqh,名称,djjgdm,djjgmc,djsj,xfrq,xfxs,名称,xfrs,sjrs,gkxx,tsnr,xfjzt,cfxfbz,"
    "wtsddm,名称,nrfldm,名称,xfmddm,名称,xfyydm,名称,lmbz,nmbz,yybz,sfssbz,xbjzsj,"
    "bfyrxm,bfyrjb,bfyrzw,bfyrzz,bfyrdw,xm,zjlx,zjhm,sjh,zz,blfs,名称"
)
HEADER: Final = tuple(_COLUMNS.split(","))
INSPECTION_OFFICE: Final = "示范市东湖区委巡察办"
LETTER: Final = "来信原文，任何一处都不应再看到这句话"
REGIONS: Final[Mapping[str, str]] = {
    "510100": "示范市",
    "510104": "示范市东湖区",
    "510105": "示范市西岭区",
    "510106": "示范市南浦区",
    "510107": "示范市北原区",
    "510112": "示范市云麓区",
}

_SEED: Final = 20261001
_MONTHS: Final = (8, 9, 10)
_LINES_PER_FILE: Final = 110
_MISTAKES_PER_FILE: Final = 9
_CORRECTIONS_PER_FILE: Final = 2
_NULL: Final = r"\N"
_NO_DAY: Final = "1899-12-31"
_FORMS: Final = (("0001", "来信"), ("0002", "来访"), ("0003", "来电"), ("0004", "网上"))
_PURPOSES: Final = (("1", "申诉"), ("2", "求决"), ("4", "意见建议"), ("5", "咨询"), ("99", "其他"))
_MATTERS: Final = (
    ("050100", "土地征收", "征地补偿款未按公示标准发放，要求核算并补发"),
    ("070200", "工资福利", "工程完工后拖欠务工人员工资，要求督促支付"),
    ("080300", "物业管理", "小区公共收益账目多年未公开，要求公布收支"),
    ("090100", "村务公开", "村集体资产出租未经表决，要求公开合同"),
    ("110100", "水气污染", "企业夜间排放异味气体，要求检查并公布结果"),
    ("060200", "学校管理", "课后服务费用标准不明，要求学校说明依据"),
    ("990000", "其他", '反映办事窗口多次要求补交材料，希望"一次告知"'),
)
_ACCUSATIONS: Final = (
    ("030100", "贪污贿赂", "反映有关负责人在项目发包中收受礼金"),
    ("030200", "失职渎职", "反映有关负责人对违规审批长期不予纠正"),
    ("030400", "干部作风", "反映有关负责人违规操办宴席并收取礼金"),
)
_BODIES: Final = ("住房保障中心", "城市更新局", "农田水利站", "公共资源交易中心", "惠民社区居委会")
_POSTS: Final = (("科级", "主任"), ("科级", "党组成员、副局长"), ("股级", "站长"))
_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫"
_MARKS: Final = "示例样拟"
_LAST: Final = "甲乙丙丁戊己庚辛壬癸"

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row that is wrong on purpose: where it stands, the column at fault, and how."""

    file: str
    row: int
    column: str
    kind: FaultKind


@dataclass(frozen=True, slots=True)
class Exports:
    """The files in the order to send them, and what becomes of their rows.

    Of `rows`, `repeated` give the event of an earlier row, `mistakes` give none, and all others
    give a new one; among the new are `corrections`, which supersede an earlier event, and
    `accusing_the_office`, accusations of the registered inspection office.
    """

    paths: tuple[Path, ...]
    rows: int
    repeated: int
    corrections: int
    accusing_the_office: int
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a file, and what is peculiar about it."""

    cells: Cells
    wrong: "_Slip | None" = None
    repeated: bool = False
    correction: bool = False

    @property
    def accuses_office(self) -> bool:
        return self.cells["bfyrdw"] == INSPECTION_OFFICE


@dataclass(frozen=True, slots=True)
class _Slip:
    """What somebody did to one column; `kind` of fault, or None where a reader takes it."""

    column: str
    change: Callable[[str], str]
    kind: FaultKind | None = None


_WRONG: Final = (
    _Slip("xfrq", lambda day: f"{day[:4]}/13/05", FaultKind.DATE),
    _Slip(
        "zjhm",
        lambda number: number[:-1] + ("1" if number[-1] == "0" else "0"),
        FaultKind.CITIZEN_ID,
    ),
    _Slip("wtsddm", lambda code: code[:5], FaultKind.REGION),
    _Slip("wtsddm", REGIONS.__getitem__, FaultKind.REGION),
    _Slip("gkxx", lambda text: "", FaultKind.MISSING),
    _Slip("xfrs", lambda people: "若干", FaultKind.NUMBER),
    _Slip("wtsddm", lambda code: f"{code[0]}.{code[1:]}E+05", FaultKind.SCIENTIFIC),
    _Slip("xfmddm", lambda code: "7", FaultKind.CODE),
    _Slip("", lambda text: text, FaultKind.CELLS),
    _Slip("gkxx", lambda text: text * (20_001 // len(text) + 1), FaultKind.TOO_LONG),
    _Slip("lmbz", lambda flag: "不详", FaultKind.FLAG),
    _Slip("sjh", lambda number: "1.28E+10", FaultKind.SCIENTIFIC),
    _Slip("djsj", lambda moment: _NO_DAY, FaultKind.MISSING),
    _Slip("wtsddm", lambda code: "519999", FaultKind.REGION),
)
_TAKEN: Final = (
    _Slip("wtsddm", lambda code: code.translate({48 + n: 0xFF10 + n for n in range(10)})),
    _Slip("wtsddm", lambda code: f"'{code}"),
    _Slip("wtsddm", lambda code: f'="{code}"'),
    _Slip("wtsddm", lambda code: f"{code}000000"),
    _Slip("xfrq", lambda day: day.replace("/0", "/").replace("/", ".")),
    _Slip("xfrq", lambda day: f"{day[:4]}年{day[5:7]}月{day[8:]}日"),
    _Slip("gkxx", lambda text: f"\u3000\u3000{text}。\n（已电话核实）"),
    _Slip("xm", lambda name: name if name == _NULL else f" {name[0]}\u3000{name[1:]}"),
    _Slip("cfxfbz", lambda flag: {"是": "1", "否": "0"}[flag]),
    _Slip("xfrs", lambda people: f"{people}.0"),
)


def write_exports(directory: Path) -> list[Path]:
    """Write the three exports into a directory that exists; their paths in the order to send."""
    return list(make_exports(directory).paths)


def make_exports(directory: Path) -> Exports:
    """`write_exports`, with what sending the files must give."""
    files = _files(Random(_SEED))
    paths = tuple(_write(directory, month, lines) for month, lines in files.items())
    everything = [line for lines in files.values() for line in lines]
    return Exports(
        paths=paths,
        rows=len(everything),
        repeated=sum(line.repeated for line in everything),
        corrections=sum(line.correction for line in everything),
        accusing_the_office=sum(line.accuses_office and not line.repeated for line in everything),
        mistakes=tuple(
            Mistake(file=path.name, row=row, column=line.wrong.column, kind=line.wrong.kind)
            for path, lines in zip(paths, files.values(), strict=True)
            for row, line in enumerate(lines, start=3)
            if line.wrong and line.wrong.kind
        ),
    )


def _files(random: Random) -> Mapping[int, list[_Line]]:
    """Month → its lines. A later file also corrects some of what the one before said."""
    files: dict[int, list[_Line]] = {}
    before: list[_Line] = []
    for turn, month in enumerate(_MONTHS):
        lines = [_Line(_cells(random, month, number)) for number in range(1, _LINES_PER_FILE + 1)]
        plain = [place for place, line in enumerate(lines) if _is_plain(line)]
        chosen = random.sample(plain, _MISTAKES_PER_FILE + len(_TAKEN))
        for slip, place in zip(_slips(turn), chosen, strict=True):
            lines[place] = _slipped(lines[place], slip)
        sound = [line for line in lines if line.wrong is None]
        lines.append(replace(random.choice(sound), repeated=True))
        if before:
            lines.extend(map(_corrected, random.sample(before, _CORRECTIONS_PER_FILE)))
        files[month], before = lines, [line for line in sound if _is_plain(line)]
    return files


def _slips(turn: int) -> list[_Slip]:
    first = turn * _MISTAKES_PER_FILE
    wrong = [_WRONG[place % len(_WRONG)] for place in range(first, first + _MISTAKES_PER_FILE)]
    return [*wrong, *_TAKEN]


def _is_plain(line: _Line) -> bool:
    """Whether a slip in any column of the line shows."""
    return line.cells["zjlx"] == "111" and not line.accuses_office


def _slipped(line: _Line, slip: _Slip) -> _Line:
    if slip.column:
        changed = slip.change(line.cells[slip.column])
        line = replace(line, cells={**line.cells, slip.column: changed})
    return replace(line, wrong=slip) if slip.kind else line


def _corrected(line: _Line) -> _Line:
    """The same matter, written better."""
    overview = f"{line.cells['gkxx']}（更正：人数已核实）"
    return _Line({**line.cells, "gkxx": overview, "xfrs": "12", "lmbz": "1"}, correction=True)


def _cells(random: Random, month: int, number: int) -> Cells:
    accusation = number % 7 == 3
    against_office = number in (3, 52)
    region = "510104" if against_office else random.choice(tuple(REGIONS))
    day = date(2026, month, random.randint(1, 28))
    due = date(2026, month + 2, day.day)
    form, form_name = random.choice(_FORMS)
    purpose, purpose_name = ("3", "揭发控告") if accusation else random.choice(_PURPOSES)
    content, content_name, overview = random.choice(_ACCUSATIONS if accusation else _MATTERS)
    case = f"XFJ{region}{day:%Y%m%d}{number:04}"
    return {
        "xfjbh": case,
        "xzqh": "510100",
        "名称": REGIONS["510100"],
        "djjgdm": "510100000000",
        "djjgmc": "示范市信访局",
        "djsj": f"{day:%Y/%m/%d} {random.randint(8, 17):02}:{random.randint(0, 59):02}:00",
        "xfrq": f"{day:%Y/%m/%d}",
        "xfxs": form,
        "名称#2": form_name,
        "xfrs": str(random.choice((1, 1, 1, 2, 3, 5, 8))),
        "sjrs": _NULL,
        "gkxx": f"{overview}（第{number}件）",
        "tsnr": f"{LETTER}（{case}）",
        "xfjzt": "已登记",
        "cfxfbz": random.choice(("是", "否", "否")),
        "wtsddm": region,
        "名称#3": REGIONS[region],
        "nrfldm": content,
        "名称#4": content_name,
        "xfmddm": purpose,
        "名称#5": purpose_name,
        "xfyydm": _NULL,
        "名称#6": _NULL,
        "lmbz": random.choice(("0", "0", "1")),
        "nmbz": "0",
        "yybz": "否",
        "sfssbz": random.choice(("0", "0", "0", "否")),
        "xbjzsj": random.choice((f"{due:%Y/%m/%d}", _NO_DAY)),
        **_accused(random, region, accused=accusation, office=against_office),
        **_person(random, number),
        "blfs": "转送",
        "名称#7": _NULL,
    }


def _accused(random: Random, region: str, *, accused: bool, office: bool) -> Cells:
    columns = ("bfyrxm", "bfyrjb", "bfyrzw", "bfyrzz", "bfyrdw")
    if not accused:
        return dict.fromkeys(columns, _NULL)
    rank, post = random.choice(_POSTS)
    unit = INSPECTION_OFFICE if office else f"{REGIONS[region]}{random.choice(_BODIES)}"
    return dict(zip(columns, (_name(random), rank, post, _NULL, unit), strict=True))


def _person(random: Random, number: int) -> Cells:
    """The petitioner: some without a name, some with papers that have no check digit."""
    if number % 11 == 0:
        return {"nmbz": "是", **dict.fromkeys(("xm", "zjlx", "zjhm", "sjh", "zz"), _NULL)}
    born = date(random.randint(1950, 2000), random.randint(1, 12), random.randint(1, 28))
    identity = citizen_id_with_check_digit(f"519999{born:%Y%m%d}{random.randint(1, 999):03}")
    papers = ("414", f"S{number:08}") if number % 13 == 0 else ("111", identity)
    return {
        "xm": _name(random),
        "zjlx": papers[0],
        "zjhm": papers[1],
        "sjh": f"128{random.randint(0, 99_999_999):08}",
        "zz": f"示范市样板路{number}号",
    }


def _name(random: Random) -> str:
    return random.choice(_SURNAMES) + random.choice(_MARKS) + random.choice(_LAST)


def _write(directory: Path, month: int, lines: list[_Line]) -> Path:
    path = directory / f"xfj-2026-{month:02}.csv"
    columns = name_columns(HEADER)
    with path.open("w", encoding="gbk", newline="") as out:
        table = csv.writer(out)
        table.writerow([f"示范市信访局信访件导出（2026年{month}月）"])
        table.writerow(HEADER)
        for line in lines:
            cells = [line.cells[column] for column in columns]
            table.writerow(_shifted(cells) if line.wrong and not line.wrong.column else cells)
    return path


def _shifted(cells: list[str]) -> list[str]:
    """As when a comma in the overview was not quoted."""
    place = HEADER.index("gkxx")
    return [*cells[:place], "反映两件事", *cells[place:]]


if __name__ == "__main__":
    for written in write_exports(Path(sys.argv[1])):
        sys.stdout.write(f"{written}\n")
