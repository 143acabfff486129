"""Field maps as data: which column feeds which field, how it is read, what a site changes.

A mapping is `mapping.toml` beside an adapter; a site's file lays its own values over it:

    [columns]            a column that the site calls otherwise: xfrq = "信访日期"
    [fields.people]      any property of a field: default = "1"
    [address]            whom the events go to: to = "inspection-office@510100"
    [cells]              nulls = ['\\N', "NULL"], null_dates = ["1899-12-31"]
    [document]           where the records stand: sheets = ["线索*"], records = "data/list";
                         whole = true: the document is one record; largest_mib = 4096; how it is
                         opened: mended = true, key = "A0000", password_file = "包密码"
    [groups.x]           parts that a record holds many of: each, and [groups.x.fields.y]; with by
                         the rows that say the same in a column, with both those of a list
    [tables.x]           parts too many to be kept: each, sums, and whether two of these agree
    [deleted]            how a row says that its system has deleted it
    [steps."<type>"]     the order of a case's events (`steps`)
    [template]           the workbook that people fill in (`template`)

In a site's file `x_file` names a file, only the owner's to read, that says `x` (`password_file`,
`default_file`). A mapping also says in `[contracts]` what it makes (type = version).
"""

import re
from collections.abc import Collection
from collections.abc import Mapping as MappingOf
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from adapters.kit.amounts import Unit, unit_in
from adapters.kit.convert import READINGS, plain
from adapters.kit.port import CannotRun
from adapters.kit.steps import Step, Type, never_possible
from adapters.kit.wanted import Earlier, Form, Wanted, WantedGroup, WantedTotals, canonical
from contracts.agency import parse_addresses
from contracts.dataset.parts import Sensitivity


class MappingError(CannotRun):
    """A mapping, or a site's file over it, that says something impossible; tells where."""


def _reading(name: str) -> str:
    if name not in READINGS:
        raise ValueError(f"no conversion {name!r}; there are {', '.join(READINGS)}")
    return name


def _addresses(text: str) -> str:
    parse_addresses(text)
    return text


Column = Annotated[str, Field(min_length=1), AfterValidator(canonical)]
# What cells are compared with is written as cells are read: half-width.
Says = Annotated[frozenset[str], AfterValidator(lambda said: frozenset(map(plain, said)))]
Aliases = Annotated[
    MappingOf[str, str],
    AfterValidator(lambda given: {plain(name): meant for name, meant in given.items()}),
]
Addresses = Annotated[str, AfterValidator(_addresses)]


DAYS: Final = ("date", "time", "month")
AMOUNTS: Final = ("money", "yuan")
# A document is looked through several times before anything of it is sent.
MOST_MIB: Final = 1 << 14


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class When(_Strict):
    """A field counts only in rows where another column says one of these."""

    column: Column
    says: Says = Field(alias="is")


class FieldRule(_Strict):
    """How one field is read. `also`: other names of the column. `present`: the column must be
    there, though its cells may be blank. `numbered`: the cell says it of each of several subjects,
    by their numbers. `fixed`: no document says it, `default` alone does. `pointers`: where in the
    contract it stands, with "<type>:" before it where only one of several contracts is meant. What
    goes with which `as` is told in `CONVERSIONS.md`."""

    column: Column
    also: tuple[Column, ...] = ()
    title: str
    reads: Annotated[str, AfterValidator(_reading)] = Field(alias="as")
    required: bool = False
    present: bool = False
    default: str | None = None
    longest: int | None = None
    numbered: bool = False
    fixed: bool = False
    list: str | None = None
    values: tuple[str, ...] = ()
    unit_unless_named: Unit | None = Field(default=None, alias="unit")
    serial: bool = False
    aliases: Aliases = {}
    label_column: Column | None = None
    when: When | None = None
    pointers: tuple[str, ...] = ()

    @property
    def types(self) -> frozenset[str]:
        """The events that alone it feeds; none where it may feed any."""
        only = frozenset(pointer.rpartition(":")[0] for pointer in self.pointers)
        return only if "" not in only else frozenset()

    @property
    def must_be_there(self) -> bool:
        """Whether nothing says the field where the document has no such column."""
        return self.required and self.default is None

    @property
    def unit(self) -> Unit | None:
        """What a bare amount is in: the column's name says it, or else the rule."""
        return unit_in(self.column) or self.unit_unless_named

    @model_validator(mode="after")
    def _properties_belong(self) -> "FieldRule":
        if (self.reads in ("code", "codes")) != (self.list is not None):
            raise ValueError('"list" belongs to as = "code" or "codes", and must be there')
        if (self.reads == "choice") != bool(self.values):
            raise ValueError('"values" belongs to as = "choice", and must be there')
        if self.serial and self.reads not in DAYS:
            raise ValueError(f'"serial" belongs to as = {", ".join(DAYS)}')
        if self.unit_unless_named and self.reads not in AMOUNTS:
            raise ValueError(f'"unit" belongs to as = {", ".join(AMOUNTS)}')
        if self.reads in AMOUNTS and any(unit_in(n) not in (None, self.unit) for n in self.also):
            raise ValueError("a column of another unit needs a field of its own")
        return self


class Cells(_Strict):
    """What counts as blank; columns that no field may read, and those known and passed over."""

    nulls: frozenset[str] = frozenset()
    null_dates: frozenset[str] = frozenset()
    never: frozenset[Column] = frozenset()
    ignored: frozenset[Column] = frozenset()


class Address(_Strict):
    """Whom a site's events go to, as in the attributes of the same names."""

    to: Addresses | None = None
    cc: Addresses | None = None


class Deletion(When):
    """Rows that say so were deleted where they come from; `native` is the field of their number."""

    native: str


class Group(_Strict):
    """Parts that a record holds many of: the path of each below the record, and their fields; or,
    with `by`, the rows one below the other that say the same in that column of the record; or,
    with both, the rows of a list on other sheets (`WantedGroup`)."""

    each: Column | None = None
    by: Column | None = None
    fields: MappingOf[str, FieldRule]

    @model_validator(mode="after")
    def _somewhere(self) -> "Group":
        if self.each is None and self.by is None:
            raise ValueError('a group has "each" or "by"')
        return self

    @property
    def wanted(self) -> WantedGroup:
        """The columns that reading needs."""
        rules = self.fields.values()
        also = {name: rule.column for rule in rules for name in rule.also}
        if self.by is None:
            titles = {name: rule.title for rule in rules for name in rule.also} | _titles(rules)
            return WantedGroup(each=self.each or "", titles=titles)
        listed = {self.by: "所属"} if self.each else {}
        return WantedGroup(
            each=self.each or "",
            titles=listed | _titles(rules),
            by=self.by,
            required=frozenset(rule.column for rule in rules if rule.required or rule.present),
            also=also,
            amounts=frozenset(rule.column for rule in rules if rule.reads in AMOUNTS),
        )


class Balance(_Strict):
    """Which two sums must agree for all rows of one number, and the columns of that number."""

    numbered_by: Annotated[tuple[Column, ...], Field(min_length=1)]
    sides: tuple[str, str]


class Table(_Strict):
    """Parts that a record holds too many of to be kept (`WantedTotals`).

    `classes`: how far what a column holds may travel (F0 to F3); `otherwise` that of any other.
    """

    title: str
    each: Annotated[tuple[Column, ...], Field(min_length=1)]
    sums: MappingOf[str, tuple[Column, ...]] = {}
    day: tuple[Column, ...] = ()
    balance: Balance | None = None
    classes: MappingOf[Column, Sensitivity] = {}
    otherwise: Sensitivity = "F3"

    @model_validator(mode="after")
    def _sides_are_sums(self) -> "Table":
        if self.balance and not self.sums.keys() >= set(self.balance.sides):
            raise ValueError('"sides" names two of "sums"')
        return self

    @property
    def wanted(self) -> WantedTotals:
        return WantedTotals(
            title=self.title,
            each=self.each,
            sums=self.sums,
            day=self.day,
            numbered_by=self.balance.numbered_by if self.balance else (),
            sides=self.balance.sides if self.balance else None,
        )


class Document(_Strict):
    """Where in a document the records stand, or that it is one (`Wanted.records`, `.sheets`,
    `.whole`), how large it may be, in MiB, and how it is opened (`.mended`, `.key`,
    `.password`)."""

    records: str = ""
    sheets: tuple[str, ...] = ()
    whole: bool = False
    largest_mib: Annotated[int, Field(ge=1, le=MOST_MIB)] | None = None
    mended: bool = False
    key: Annotated[str, AfterValidator(canonical)] = ""
    password: str = Field(default="", repr=False)


class Template(_Strict):
    """The workbook that people are given to fill in; not `offered` where they fill in something
    else. `fields`: which, in this order, none for all in the order of the map (`Mapping.asked`);
    `example` and `hints`: what the example says, and
    what people should know, by field; `notes`: sentences on the whole. `before`: what a workbook
    says in fields that its template did not have yet, so that it is read on."""

    offered: bool = True
    title: str = ""
    sheet: Annotated[str, Field(max_length=31, pattern=r"^[^\[\]:*?/\\'\s]+$")] = "填报"
    fields: tuple[str, ...] = ()
    example: MappingOf[str, str] = {}
    hints: MappingOf[str, str] = {}
    notes: tuple[str, ...] = ()
    before: MappingOf[str, str] = {}


class Mapping(_Strict):
    """A field map: what the adapter is called, what it makes, and how every field is read.

    `adapter` is the name under which it was loaded.
    """

    adapter: str = ""
    title: str
    system: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    contracts: Annotated[MappingOf[str, str], Field(min_length=1)]
    cells: Cells = Cells()
    address: Address = Address()
    document: Document = Document()
    fields: MappingOf[str, FieldRule]
    groups: MappingOf[str, Group] = {}
    tables: MappingOf[str, Table] = {}
    deleted: Deletion | None = None
    steps: MappingOf[Type, Step] = {}
    template: Template = Template()

    @model_validator(mode="after")
    def _template_names_fields(self) -> "Mapping":
        template = self.template
        named = {*template.fields, *template.example, *template.hints, *template.before}
        if unknown := named - self.asked.keys():
            raise ValueError(f"template: no field {', '.join(sorted(unknown))}")
        return self

    @model_validator(mode="after")
    def _keep_out(self) -> "Mapping":
        wanted = self.wanted
        inner = (n for g in wanted.groups.values() for n in (g.each, g.by, *g.titles))
        counted = (n for t in wanted.tables.values() for n in (*t.each, *t.columns))
        read = [*wanted.titles, *wanted.also, *inner, *counted]
        forbidden = [name for name in read if self.cells.never.intersection(_members(name))]
        if forbidden:
            raise ValueError(f"no field may read the column {', '.join(sorted(forbidden))}")
        return self

    @model_validator(mode="after")
    def _deleted_rows_have_a_number(self) -> "Mapping":
        if self.deleted and self.deleted.native not in self.fields:
            raise ValueError(f"deleted: no field {self.deleted.native!r}")
        return self

    @model_validator(mode="after")
    def _rows_are_of_one_record(self) -> "Mapping":
        if self.wanted.gathered and len(self.groups) > 1:
            raise ValueError('a group with "by" alone is the only one')
        for name, by in ((name, group.by) for name, group in self.groups.items() if group.by):
            rules = [rule for rule in self.fields.values() if rule.column == by]
            if not any(rule.required for rule in rules):
                raise ValueError(f"groups.{name}: no required field of a record reads {by!r}")
        return self

    @model_validator(mode="after")
    def _steps_lead_somewhere(self) -> "Mapping":
        if stuck := never_possible(self.steps):
            raise ValueError(f"steps: nothing leads to {', '.join(sorted(stuck))}")
        return self

    @property
    def wanted(self) -> Wanted:
        """The columns that reading needs."""
        rules = self.fields.values()
        return Wanted(
            titles=self._deletion_title | _titles([r for r in rules if not r.fixed]),
            required=frozenset(r.column for r in rules if r.present or r.must_be_there),
            ignored=self.cells.never | self.cells.ignored,
            also={name: rule.column for rule in rules for name in rule.also},
            groups={name: group.wanted for name, group in self.groups.items()},
            tables={name: table.wanted for name, table in self.tables.items()},
            records=self.document.records,
            sheets=self.document.sheets,
            amounts=frozenset(rule.column for rule in rules if rule.reads in AMOUNTS),
            whole=self.document.whole,
            largest=self.document.largest_mib and self.document.largest_mib << 20,
            form=self._form,
            images=frozenset(r.column for r in rules if r.reads == "image"),
            mended=self.document.mended,
            key=self.document.key,
            password=self.document.password,
        )

    @property
    def templated(self) -> bool:
        """Whether people may be given a workbook to fill in; none holds a whole document."""
        return self.template.offered and not self.document.whole

    @property
    def asked(self) -> MappingOf[str, FieldRule]:
        """The fields that a row of a table may say, also those of its part of a record (written
        `group.field`)."""
        parts = {
            f"{name}.{field}": rule
            for name, group in self.groups.items()
            for field, rule in group.fields.items()
            if group.by
        }
        return {**self.fields, **parts}

    @property
    def _form(self) -> Form:
        rules = self.asked
        before = {
            rules[name].column: Earlier(text, rules[name].types)
            for name, text in self.template.before.items()
        }
        return Form(self.adapter, self.title, self.system, frozenset(self.contracts), before)

    @property
    def _deletion_title(self) -> dict[str, str]:
        return {self.deleted.column: "删除标记"} if self.deleted else {}

    def column_at(self, pointer: str, type_: str = "") -> str:
        """The column that feeds an event's member at a JSON Pointer, or what is nearest above it;
        "" for none."""
        at = re.sub(r"/[0-9]+(?=/|$)", "/-", pointer.removeprefix("/data"))
        every = [self.fields, *(group.fields for group in self.groups.values())]
        nearest, column = -1, ""
        for name, rule in (item for fields in every for item in fields.items()):
            for fed in rule.pointers or (f"/{name}",):
                only, _, where = fed.rpartition(":")
                feeds = only in ("", type_) and (at == where or at.startswith(f"{where}/"))
                if feeds and len(where) > nearest:
                    nearest, column = len(where), rule.column
        return column


def _members(column: str) -> set[str]:
    """A column's name without its number (`name#2`); of a path, every member of it too."""
    bare_names = (part.removeprefix("@").partition("#")[0] for part in column.split("/"))
    return {column, *bare_names}


def _titles(rules: Collection[FieldRule]) -> dict[str, str]:
    titles = {rule.column: rule.title for rule in rules}
    labels = {r.label_column: f"{r.title}（名称）" for r in rules if r.label_column}
    conditions = {r.when.column: f"{r.title}（条件）" for r in rules if r.when}
    return conditions | labels | titles
