"""A new adapter: a folder with a map, a translation, a page and samples that agree, to go on from.

Its columns are a contract's own names; the samples come from the contract's example.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any, Final

from adapters.kit.adapter import MAPPING, TRANSLATE
from adapters.kit.check import outcome, written
from adapters.kit.drafting import Leaf, leaves
from adapters.kit.port import CannotRun
from adapters.kit.wanted import canonical
from contracts.catalogue import load_catalogue
from contracts.codelists import code_list
from contracts.contract import Contract

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_TOLD: Final = 5
_TIME: Final = "2026/11/02 09:05:00"
_NUMBER: Final = Leaf("/id", ("编号",), True, "identifier")
_RECORDED: Final = Leaf("/time", ("登记时间",), True, "time")


class CannotDraft(CannotRun):
    """No adapter can be begun so; the text tells why."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the new table: the map's field, what the table calls it, the sample's cell."""

    field: str
    name: str
    leaf: Leaf
    cell: str

    @property
    def heading(self) -> str:
        return f"*{self.name}" if self.leaf.needed else self.name


def new_adapter(name: str, type_: str, into: Path) -> Path:
    """Write the adapter `name` for events of `type_` into a new folder below `into`.

    Raises CannotDraft, or OSError.
    """
    if not _NAME.fullmatch(name):
        raise CannotDraft("名称须以小写字母开头，只含小写字母、数字和下划线，如 letters")
    versions = load_catalogue().versions(type_)
    if not versions:
        near = (
            "、".join(load_catalogue().types(f"{type_.partition('.')[0]}.*")) or "见 contract list"
        )
        raise CannotDraft(f"没有契约 {type_}，可用：{near}")
    folder = into / name
    if folder.exists():
        raise CannotDraft(f"{folder} 已经存在，请换一个名称或先移走")
    contract = versions[-1]
    if not load_catalogue().senders(contract):
        raise CannotDraft(f"{contract.type} 由系统自己发出，不需要适配器")
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=into, prefix=f".{name}-") as place:
        begun = Path(place) / name
        _write_first_that_agrees(contract, begun)
        begun.rename(folder)
    return folder


def _write_first_that_agrees(contract: Contract, folder: Path) -> None:
    """Begin with the first example of the contract that a flat table can say."""
    every = leaves(contract)
    for example in _examples(contract):
        columns = tuple(_columns(every, example))
        _write(folder, contract, columns, [each for each in every if not _is_in(each, columns)])
        made = _sample(folder, "one", "utf-8-sig", [_headings(columns), _row(columns)])
        if made["events"] and not made["faults"]:
            _write_samples(folder, columns)
            return
    raise CannotDraft(f"契约 {contract.name} 不能由一行表格直接得出，请参照其他适配器手写")


def _examples(contract: Contract) -> Sequence[Any]:
    """The contract's own examples, those first that say the most. Raises CannotDraft for none."""
    kept = files(contract.model.__module__.rpartition(".")[0]) / "examples" / "valid"
    named = kept.iterdir() if kept.is_dir() else ()
    texts = [each.read_bytes() for each in named if each.name.startswith(f"{contract.type}-")]
    texts.sort(key=len, reverse=True)
    found = [(text, contract.check(text)) for text in texts]
    agreeing = [json.loads(text) for text, told in found if not isinstance(told, tuple)]
    if agreeing:
        return agreeing
    faults = [each for _, told in found if isinstance(told, tuple) for each in told]
    lines = "；".join(f"{each.pointer} {each.message}" for each in faults[:_MOST_TOLD])
    advice = f"请先在契约旁写好 examples/valid/{contract.type}-1.json"
    raise CannotDraft(f"契约 {contract.name} 没有合格的例子，{lines or advice}")


def _columns(every: Sequence[Leaf], example: Any) -> Iterator[_Column]:
    """What the contract needs, and what the example says beside it."""
    yield _Column("row_number", "编号", _NUMBER, "YL-0001")
    yield _Column("row_time", "登记时间", _RECORDED, _TIME)
    taken = {canonical("编号"), canonical("登记时间")}
    for leaf in every:
        value = _at(example, leaf.pointer.split("/")[1:])
        if not leaf.needed and value is None:
            continue
        name = next(each for each in _names(leaf) if canonical(each) not in taken)
        taken.add(canonical(name))
        field = leaf.pointer.strip("/").replace("/-", "").replace("/", "_")
        yield _Column(field, name, leaf, _cell(value, leaf))


def _names(leaf: Leaf) -> Iterator[str]:
    """What the column may be called: the shortest that nobody else has."""
    for first in range(len(leaf.titles) - 1, -1, -1):
        yield "·".join(leaf.titles[first:])
    yield f"{'·'.join(leaf.titles)}（{leaf.pointer.strip('/').replace('/', ' ')}）"


def _at(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if step == "-" or step.isdecimal():
            number = 0 if step == "-" else int(step)
            value = value[number] if value and number < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _cell(value: Any, leaf: Leaf) -> str:
    """A value as people write it."""
    match leaf.reads, value:
        case _, None:
            return ""
        case "flag", bool():
            return "是" if value else "否"
        case "code", dict():
            return _label(str(leaf.properties["list"]), value)
        case "codes", list():
            return "；".join(_label(str(leaf.properties["list"]), each) for each in value)
        case "money", dict():
            return f"{value['amount']}{value['unit']}"
        case "lines", list():
            return "\n".join(map(str, value))
        case "time", str():
            return value[:19].replace("T", " ").replace("-", "/")
    return str(value)


def _label(listed: str, code: Mapping[str, str]) -> str:
    labels = list(code_list(listed).labels.values())
    label = code_list(listed).labels.get(code["code"], "")
    return label if labels.count(label) == 1 else code["code"]


def _is_in(leaf: Leaf, columns: Sequence[_Column]) -> bool:
    return any(column.leaf is leaf for column in columns)


def _write(
    folder: Path, contract: Contract, columns: Sequence[_Column], others: Sequence[Leaf]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "type": contract.type,
        "version": contract.version,
        "title": contract.title,
        "own": "".join(f"\n        {line}" for line in _own(contract, columns)),
        "columns": "\n".join(f"| {each.name} | {_about(each.leaf)} |" for each in columns),
    }
    for template, name in (("translate.txt", TRANSLATE), ("README.txt", "README.md")):
        text = (files("adapters") / "kit" / "blank" / template).read_text(encoding="utf-8")
        (folder / name).write_text(Template(text).substitute(values), encoding="utf-8")
    (folder / MAPPING).write_text(_mapping(folder.name, contract, columns, others), "utf-8")


def _own(contract: Contract, columns: Sequence[_Column]) -> Iterator[str]:
    """What a translation says of an opening beside its time: the case, and where the matter
    belongs, as the one region says that every payload has; a reply has both of its opening."""
    if contract.answers:
        return
    case = contract.key.strip("/").replace("/", "_")
    yield f'"correlationid": f"{contract.family}:{{row.values[\'{case}\']}}",'
    needed = [each for each in columns if each.leaf.needed and each.leaf.pointer.count("/") == 1]
    places = [each.field for each in needed if each.leaf.reads == "region"]
    if len(places) == 1:
        yield f'"region": str(row.values["{places[0]}"]),'


def _mapping(
    name: str, contract: Contract, columns: Sequence[_Column], others: Sequence[Leaf]
) -> str:
    lines = [
        f"# {contract.title} → {contract.type} {contract.version}",
        "#",
        "# 每个 [fields.x]：column 取哪一列（改成本单位的列名，also 可再写几个别名），",
        "# as 按什么读（各种写法见 adapters/kit/CONVERSIONS.md），title 给人看的名称，",
        "# pointers 落在契约的何处。",
        "",
        f"title = {_toml(contract.title)}",
        f"system = {_toml(name.replace('_', '-'))}",
        "",
        "[contracts]",
        f"{_toml(contract.type)} = {_toml(contract.version)}",
        "",
        "[cells]",
        "# 原系统用来表示空白的写法。",
        f"nulls = {_toml([chr(92) + 'N', 'NULL', 'null'])}",
    ]
    for column in columns:
        lines += ["", *_field(column)]
    if others:
        lines += ["", "# 契约还可以有下列字段，需要时照上面的样子加："]
        lines += [f"#   {leaf.pointer}  {'·'.join(leaf.titles)}（{leaf.reads}）" for leaf in others]
    return "\n".join(lines) + "\n"


def _field(column: _Column) -> Iterator[str]:
    yield f"[fields.{column.field}]"
    yield f"column = {_toml(column.name)}"
    yield f"title = {_toml(column.name)}"
    yield f"as = {_toml(column.leaf.reads)}"
    for key, value in column.leaf.properties.items():
        yield f"{key} = {_toml(value)}"
    if column.leaf.needed:
        yield "required = true"
    known = re.sub(r"/[0-9]+(?=/|$)", "/-", column.leaf.pointer)
    yield f"pointers = {_toml(list(dict.fromkeys((column.leaf.pointer, known))))}"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _about(leaf: Leaf) -> str:
    needed = "必填" if leaf.needed else "可空"
    listed = f"，代码表 {leaf.properties['list']}" if "list" in leaf.properties else ""
    return f"{needed}；按 `{leaf.reads}` 读{listed}"


def _row(columns: Sequence[_Column], **cells: str) -> list[str]:
    return [cells.get(column.field, column.cell) for column in columns]


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _write_samples(folder: Path, columns: Sequence[_Column]) -> None:
    """The traps of every table, each a sample; what comes out is written down as it is."""
    heading, row = _headings(columns), _row(columns)
    other = _row(columns, row_number="YL-0002")
    backwards = [[*reversed(line)] for line in (heading, row)]
    lacking = [line[1:] for line in (heading, row)]
    tables = {
        "gbk-below-a-title": ("gb18030", [["示范市样例表", *[""] * (len(row) - 1)], heading, row]),
        "repeated": ("utf-8-sig", [heading, row, other, row]),
        "nothing-filled-in": ("utf-8-sig", [heading, [*row[:1], *[""] * (len(row) - 1)]]),
        "null-marks": ("utf-8-sig", [heading, [r"\N"] * len(row)]),
        "columns-in-another-order": ("utf-8-sig", backwards),
        "header-lacks-a-column": ("utf-8-sig", lacking),
        "shifted": ("utf-8-sig", [heading, [*row, "多出的一格"], other]),
    }
    for case, (encoding, rows) in tables.items():
        _sample(folder, case, encoding, rows)


def _sample(
    folder: Path, case: str, encoding: str, rows: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Write a sample, and what comes out of it, which is the answer."""
    place = folder / "samples" / case
    place.mkdir(parents=True, exist_ok=True)
    (place / "in.csv").write_bytes(_csv(rows).encode(encoding))
    made = outcome(folder, place)
    (place / "out.json").write_text(written(made), encoding="utf-8")
    return made


def _headings(columns: Sequence[_Column]) -> list[str]:
    return [column.heading for column in columns]
