"""What a template asks people: its columns, from a field map, and from what the contracts say.

A column is needed where the map says so, and where the only event that a row makes cannot be
without it. What people choose from is what the map reads: names, never codes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from adapters.kit.adapter import MAPPING, Adapter, available, load
from adapters.kit.convert import plain
from adapters.kit.drafting import Shape, shape_at
from adapters.kit.mapping import FieldRule, Group
from adapters.kit.port import CannotRun
from adapters.kit.readers.patterns import counts
from adapters.kit.regions import above, regions_named
from adapters.kit.site import load_mapping
from adapters.kit.templatemark import Mark, column_names
from contracts.codelists import CodeList, Member
from contracts.contract import Contract
from contracts.envelope import KNOWN
from contracts.owncodes import SHIPPED, Codes

_MOST_CHOICES: Final = 2_000
_MOST_NAMED: Final = 20
_THREAD: Final = frozenset({"causationid", "correlationid"})
# A number of GB 11643 or GB 32100.
_OF_STANDARDS: Final = 18
# As the conversions have it where a rule says nothing, and what a cell holds.
_LONGEST: Final = MappingProxyType({"text": 2_000, "line": 200, "name": 200, "identifier": 64})
_CELL: Final = 32_767
# How cells are filled in, by how they are read.
_HOW: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text": "文字，可分几行",
        "line": "一行文字",
        "name": "姓名或单位全称",
        "names": "姓名，几个人用顿号、分号隔开，或各占一行",
        "number": "号码，照原样填写",
        "identifier": "编号，照原样填写，不含空格",
        "date": "日期，如 2026-10-12",
        "time": "日期和时间，如 2026-10-12 09:30；不写钟点的按零点",
        "month": "年月，如 2026-10",
        "flag": "填“是”或“否”",
        "integer": "整数，不写单位",
        "decimal": "数值，不写单位",
        "money": "金额；写明单位的（如 3.5万元）以所写为准",
        "yuan": "金额；写明单位的（如 3.5万元）以所写为准",
        "region": "区划代码，或带“省、市、县、区”的全称",
        "code": "从列表中选一项",
        "codes": "列表中的一项或几项，几项用分号隔开",
        "choice": "从列表中选一项",
        "lines": "几条的用分号隔开，或各占一行",
        "citizen_id": "公民身份号码，18 位",
        "uscc": "统一社会信用代码，18 位",
        "image": "图片",
    }
)
_EACH: Final = "分别说几项的写成“1=内容；2=内容”，各项也可以各占一行"


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """A column: its heading, how it is read, whether a cell may say several things, what people
    choose from (`only_these`: and nothing else), the example's cell, what they should know. `least`
    and `most`: of a whole number, or of characters; None where nobody says."""

    name: str
    reads: str
    needed: bool
    several: bool
    choices: tuple[str, ...]
    only_these: bool
    example: str
    about: tuple[str, ...]
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class TemplateSheet:
    """A sheet of rows to be filled in."""

    name: str
    title: str
    columns: tuple[TemplateColumn, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A workbook to be filled in: the sheet of its records, those of the lists that belong to
    them, and what else people should know."""

    title: str
    mark: Mark
    sheets: tuple[TemplateSheet, ...]
    notes: tuple[str, ...]

    @property
    def columns(self) -> tuple[TemplateColumn, ...]:
        """Those of all sheets."""
        return tuple(column for sheet in self.sheets for column in sheet.columns)


Rules = Mapping[str, FieldRule]


@dataclass(frozen=True, slots=True)
class Offered:
    """Whom a template is made for: the codes in use, the region of the office (its level decides
    what it may choose), and the day on which codes have to be in force."""

    codes: Codes = SHIPPED
    region: str | None = None
    day: date | None = None


def adapter_making(what: str | Path, site: Path | None, codes: Codes) -> tuple[Adapter, str]:
    """The adapter of a name or folder, with "", or the one that makes events of a type, with that.

    Raises CannotRun.
    """
    if isinstance(what, Path) or what in available():
        return load(what, site, codes), ""
    mappings = {name: load_mapping(folder / MAPPING) for name, folder in available().items()}
    making = [
        name
        for name, mapping in mappings.items()
        if mapping.templated and what in mapping.contracts
    ]
    if len(making) == 1:
        return load(making[0], site, codes), what
    known = "、".join(making or available())
    if making:
        raise CannotRun(f"发 {what} 的适配器有几个，请写明用哪一个：{known}")
    raise CannotRun(f"没有名为 {what} 的适配器，也没有可填报这种事件的；可用：{known}")


def template_of(adapter: Adapter, offered: Offered, type_: str = "") -> Template:
    """What people are asked for the events of an adapter, or for those of one type alone.

    Raises CannotRun for an adapter that reads no workbooks, a sheet that would not be read, or an
    unknown region.
    """
    mapping, contracts = adapter.mapping, adapter.contracts
    if not mapping.templated:
        raise CannotRun(f"{adapter.name} 读的不是表格，没有填报模板：请投放原来的文件")
    if not counts(mapping.template.sheet, mapping.document.sheets):
        sheet = mapping.template.sheet
        raise CannotRun(f"{adapter.name} 不读工作表“{sheet}”：请在 [template] sheet 写明名称")
    if offered.region is not None and not offered.codes.regions().known(offered.region):
        raise CannotRun("区划代码不在代码表或本地补充表中，请核对 --region")
    if type_ and type_ not in contracts:
        raise CannotRun(f"{adapter.name} 不发 {type_}，只发：{'、'.join(contracts)}")
    made = {name: each for name, each in contracts.items() if type_ in ("", name)}
    names = mapping.template.fields or mapping.asked
    asked = {name: mapping.asked[name] for name in names}
    rules = {
        name: rule
        for name, rule in asked.items()
        if _peoples(rule) and (len(made) == len(contracts) or _feeds(rule, made.values()))
    }
    making = _Making(adapter, made, offered)
    sheets = (making.records(rules), *making.lists(rules))
    columns = column_names(column.name for sheet in sheets for column in sheet.columns)
    types = tuple(f"{name} {each.version}" for name, each in made.items())
    mark = Mark(adapter.name, mapping.system, types, columns)
    return Template(making.title, mark, sheets, mapping.template.notes)


@dataclass(frozen=True, slots=True)
class _Making:
    """What the sheets of a template are made from: `contracts` are those of its events."""

    adapter: Adapter
    contracts: Mapping[str, Contract]
    offered: Offered

    @property
    def title(self) -> str:
        mapping = self.adapter.mapping
        return mapping.template.title or mapping.title

    @property
    def _listed(self) -> Mapping[str, Group]:
        """The groups whose rows stand on sheets of their own."""
        groups = self.adapter.mapping.groups
        return {name: group for name, group in groups.items() if group.each and group.by}

    def records(self, rules: Rules) -> TemplateSheet:
        """The sheet of the records, each with its row or its rows."""
        own = {n: r for n, r in rules.items() if n.partition(".")[0] not in self._listed}
        return TemplateSheet(self.adapter.mapping.template.sheet, self.title, self._columns(own))

    def lists(self, rules: Rules) -> Iterator[TemplateSheet]:
        """A sheet for each list, first of all with the column that says whose its rows are."""
        for name, group in self._listed.items():
            own = {n: r for n, r in rules.items() if n.startswith(f"{name}.")}
            by = next(({n: r} for n, r in rules.items() if r.column == group.by), {})
            told = f"与“{self.adapter.mapping.template.sheet}”中的填得一样；那里只有一行的可不填"
            whose = (replace(c, needed=False, about=(told,)) for c in self._columns(by))
            if own and group.each:
                title = f"{self.title}：{group.each}"
                yield TemplateSheet(group.each, title, (*whose, *self._columns(own)))

    def _columns(self, rules: Rules) -> tuple[TemplateColumn, ...]:
        every = (
            column
            for name, rule in rules.items()
            for column in _columns(name, rule, self.adapter, self.contracts, self.offered)
        )
        return tuple(_once(every))


def _once(columns: Iterable[TemplateColumn]) -> Iterable[TemplateColumn]:
    """Each heading once, where it is asked for first; of fields that share a column the one that
    asks the most of it."""
    found: dict[str, TemplateColumn] = {}
    for column in columns:
        before = found.setdefault(column.name, column)
        if (column.needed, bool(column.choices)) > (before.needed, bool(before.choices)):
            found[column.name] = column
    return found.values()


def _peoples(rule: FieldRule) -> bool:
    """Whether people say it in a cell; which event another answers, the kit finds."""
    named = any(pointer.rpartition("/")[2] not in _THREAD for pointer in rule.pointers)
    return not rule.fixed and rule.reads in _HOW and (named or not rule.pointers)


def _feeds(rule: FieldRule, contracts: Collection[Contract]) -> bool:
    """Whether one of these events, or what goes around it, has a place for a field; reading may
    need one that has none."""
    return (
        rule.required
        or rule.present
        or not rule.pointers
        or any(
            only in ("", contract.type) and (where[1:] in KNOWN or shape_at(contract, where))
            for contract in contracts
            for only, _, where in (pointer.rpartition(":") for pointer in rule.pointers)
        )
    )


def _shape(name: str, rule: FieldRule, contracts: Collection[Contract]) -> Shape | None:
    """What the first contract that has a place for a field says of it."""
    shapes = (
        shape_at(contract, where)
        for contract in contracts
        for only, _, where in (p.rpartition(":") for p in rule.pointers or (f"/{name}",))
        if only in ("", contract.type)
    )
    return next(filter(None, shapes), None)


def _columns(
    name: str,
    rule: FieldRule,
    adapter: Adapter,
    contracts: Mapping[str, Contract],
    offered: Offered,
) -> Iterator[TemplateColumn]:
    """The column of a field, and that of its label where a list may be added to."""
    asked, shape = adapter.mapping.template, _shape(name, rule, contracts.values())
    sole = len(contracts) == 1 and shape is not None and shape.needed
    schema: Mapping[str, Any] = shape.schema if shape else {}
    choices, only_these = _choices(rule, offered)
    told = (asked.hints.get(name), *_how(rule, choices, offered), shape.about if shape else "")
    least, most = _bounds(rule, schema)
    yield TemplateColumn(
        name=_heading(rule.column),
        reads=rule.reads,
        needed=(rule.required or sole) and rule.default is None,
        several=rule.numbered or rule.reads == "codes",
        choices=choices,
        only_these=only_these and not rule.label_column,
        example=asked.example.get(name, ""),
        about=tuple(filter(None, told)),
        least=least,
        most=most,
    )
    own = {each.column for each in adapter.mapping.asked.values()}
    for beside, about in _beside(rule):
        if beside not in own:
            yield TemplateColumn(
                name=_heading(beside),
                reads="line",
                needed=False,
                several=False,
                choices=(),
                only_these=False,
                example="",
                about=(about,),
            )


def _beside(rule: FieldRule) -> Iterator[tuple[str, str]]:
    """Columns that are read with a field's own, and what people should know of them."""
    if rule.label_column:
        yield rule.label_column, f"“{rule.title}”填的代码不在列表中的，在这里写它的名称"
    if rule.when:
        yield rule.when.column, f"填“{'、'.join(sorted(rule.when.says))}”的，才读“{rule.title}”"


def _bounds(rule: FieldRule, schema: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """What a cell may measure at least and at most, of what can be measured."""
    match rule.reads:
        case "integer":
            return schema.get("minimum", 0), schema.get("maximum")
        case "citizen_id" | "uscc":
            return _OF_STANDARDS, _OF_STANDARDS
        case "identifier":
            return 1, _LONGEST["identifier"]
        case "text" | "line" | "name":
            return 1, min(rule.longest or _LONGEST[rule.reads], schema.get("maxLength", _CELL))
    return None, None


def _heading(column: str) -> str:
    """A column's name as forms print it."""
    return column.replace("(", "（").replace(")", "）")


def _how(rule: FieldRule, choices: tuple[str, ...], offered: Offered) -> Iterator[str]:
    how = _HOW[rule.reads]
    if rule.unit is not None or rule.reads in ("money", "yuan"):
        how = f"{how}，没有写的按{rule.unit or '元'}"
    if rule.longest is not None:
        how = f"{how}，不超过 {rule.longest} 字"
    yield how
    if rule.numbered:
        yield _EACH
    if choices and rule.reads != "flag":
        more = "等" if len(choices) > _MOST_NAMED else ""
        yield f"可填：{'、'.join(choices[:_MOST_NAMED])}{more}"
    if rule.default is not None:
        yield f"不填的按“{_default(rule.default, rule, offered)}”"


def _default(value: str, rule: FieldRule, offered: Offered) -> str:
    """What is taken for a blank cell, as people call it."""
    if rule.list is None:
        return _said(value, rule)
    meant = rule.aliases.get(value, value)
    return offered.codes.list_of(rule.list).labels.get(meant, value)


def _choices(rule: FieldRule, offered: Offered) -> tuple[tuple[str, ...], bool]:
    """What people may choose from, as the map reads it, and whether nothing else is read."""
    match rule.reads:
        case "flag":
            return ("是", "否"), True
        case "choice":
            return tuple(_said(value, rule) for value in rule.values), True
        case "code" | "codes":
            assert rule.list is not None, "a mapping names a list for every code"
            listed = offered.codes.list_of(rule.list)
            return _labels(listed, offered), listed.closed
        case "region" if offered.region is not None:
            return _below(offered.region, offered), False
    return (), False


def _said(value: str, rule: FieldRule) -> str:
    """What people call a value: the first of its other names."""
    return next((name for name, meant in rule.aliases.items() if meant == value), value)


def _labels(listed: CodeList, offered: Offered) -> tuple[str, ...]:
    """The names of members in force, of one level where the list depends on that; a name that two
    members have is told by their codes."""
    members = [m for m in listed.in_force(offered.day) if _of_level(m, listed, offered)]
    every = [plain(each.label) for each in listed.members.values()]
    return tuple(
        m.label if every.count(plain(m.label)) == 1 else m.code for m in members[:_MOST_CHOICES]
    )


def _of_level(member: Member, listed: CodeList, offered: Offered) -> bool:
    """Members that belong to no level are everybody's."""
    if offered.region is None or not listed.levels:
        return True
    level = offered.codes.regions().level(offered.region)
    own = listed.levels.get(level)
    others = set(listed.levels.values()) - {own}
    return not any(listed.within(member.code, other) for other in others)


def _below(region: str, offered: Offered) -> tuple[str, ...]:
    """A region and those directly below it today, by their full names where only one has it."""
    regions = offered.codes.regions()
    found = sorted(
        code
        for code, row in regions.rows.items()
        if code == region or (row.parent == region and row.valid_until is None)
    )
    named = ((code, above(code, regions) + regions.name(code)) for code in found)
    return tuple(n if regions_named(n, regions) == (code,) else code for code, n in named)
