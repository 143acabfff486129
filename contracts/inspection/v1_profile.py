"""Inspection: what is known of a party before its inspection, and how a team conducted itself."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Money, OrgRef, Part, Payload, PersonRef, coded
from contracts.declare import event
from contracts.rules import Rule, at_least_one, in_order, rule
from contracts.values import Count, Day, Identifier, Line, Paragraph, Summary, Year

OFFICES: Final = ("party-committee", "leading-group", "inspection-office")


class Leader(Part):
    """A member of the leading body, and whether they are its head (一把手)."""

    person: Annotated[PersonRef, F2("班子成员", "member")]
    head: Annotated[bool, F2("是否一把手", "whether head")] = False
    since: Annotated[Day | None, F2("任现职日期", "in office since")] = None
    portfolio: Annotated[Line | None, F2("分管工作", "portfolio")] = None


class Subordinate(Part):
    """A unit below the party."""

    org: Annotated[OrgRef, F1("下属单位", "unit")]
    kind: Annotated[
        Annotated[Code, coded("inspected_unit_kind")] | None, F1("单位类型", "kind of unit")
    ] = None
    staff: Annotated[Count | None, F1("实有人数", "staff")] = None


class Strength(Part):
    """How many people and how much money a party has."""

    posts: Annotated[Count | None, F1("核定编制数", "posts allowed")] = None
    staff: Annotated[Count, F1("实有人数", "staff")]
    party_members: Annotated[Count | None, F1("党员人数", "Party members")] = None
    branches: Annotated[Count | None, F1("党支部数", "Party branches")] = None
    budget: Annotated[
        Money | None, F1("年度预算", "budget of the year", "统计日期所在年度的部门预算")
    ] = None
    assets: Annotated[Money | None, F1("国有资产总额", "public assets")] = None


class Earlier(Part):
    """An earlier inspection of the party, and what it left open."""

    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    year: Annotated[Year, F1("年份", "year")]
    by: Annotated[Line, F1("巡视巡察机关", "inspected by")]
    kind: Annotated[Annotated[Code, coded("inspection_kind")], F1("类型", "kind")]
    issues: Annotated[Count, F1("反馈问题数", "issues fed back")]
    unfinished: Annotated[Count, F1("未完成整改数", "not rectified")] = 0


def _more_left_than_found(it: Any) -> Iterator[str]:
    for place, earlier in enumerate(it.earlier):
        if earlier.unfinished > earlier.issues:
            yield f"earlier/{place}/unfinished"


@event(
    "inspection.target_profiled",
    "被巡视巡察党组织概况",
    "Profile of an inspected party",
    key="/targetid",
    flows=("lifecycle", "P03", "P07"),
    phase="pre",
    publishers=("inspection-office",),
    receivers=OFFICES,
    concerned=("/target",),
)
class TargetProfiled(Payload):
    """What a party is and does, who leads it, what lies below it, and what earlier inspections
    found: put together once before the team enters, so that nobody asks the unit again.

    被巡视巡察党组织的职能责任、领导班子、一把手、下属单位和以往巡视巡察情况，巡前一次汇集。
    """

    RULES = (
        at_least_one(
            "duties",
            "duties_document",
            message="须填职能责任或者三定规定名称",
            message_en="give the duties, or the document that lays them down",
            code="duties_missing",
        ),
        rule(
            "head_missing",
            "leaders",
            "领导班子成员中须标明一把手",
            "one of the leaders at least is the head",
            lambda it: not any(leader.head for leader in it.leaders),
        ),
        Rule(
            "unfinished_above_issues",
            "未完成整改数不得多于反馈问题数",
            "no more can be unfinished than was fed back",
            _more_left_than_found,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    kind: Annotated[Annotated[Code, coded("inspected_unit_kind")], F1("单位类型", "kind of unit")]
    as_of: Annotated[Day, F1("统计日期", "as of")]
    duties: Annotated[Summary | None, F1("职能责任", "duties")] = None
    duties_document: Annotated[Line | None, F1("三定规定名称", "document of its duties")] = None
    leaders: Annotated[
        tuple[Leader, ...], Field(min_length=1, max_length=50), F2("领导班子", "leading body")
    ]
    subordinates: Annotated[
        tuple[Subordinate, ...], Field(max_length=500), F1("下属单位", "units below")
    ] = ()
    strength: Annotated[Strength, F1("人员和资产", "people and assets")]
    earlier: Annotated[
        tuple[Earlier, ...], Field(max_length=20), F1("以往巡视巡察", "earlier inspections")
    ] = ()
    notes: Annotated[Paragraph | None, F2("需关注事项", "what to look at")] = None


class Aspect(Part):
    """How many chose which answer on one aspect of a team's conduct."""

    aspect: Annotated[Annotated[Code, coded("conduct_aspect")], F1("评议内容", "aspect")]
    good: Annotated[Count, F1("好", "good")]
    fair: Annotated[Count, F1("一般", "fair")]
    poor: Annotated[Count, F1("差", "poor")]
    unknown: Annotated[Count, F1("不了解", "does not know")] = 0


def _repeated(it: Any) -> Iterator[str]:
    seen = set()
    for place, aspect in enumerate(it.aspects):
        if aspect.aspect.code in seen:
            yield f"aspects/{place}/aspect"
        seen.add(aspect.aspect.code)


def _miscounted(it: Any) -> Iterator[str]:
    for place, aspect in enumerate(it.aspects):
        if aspect.good + aspect.fair + aspect.poor + aspect.unknown != it.valid:
            yield f"aspects/{place}"


@event(
    "inspection.conduct_rated",
    "巡视巡察组作风纪律评议",
    "Conduct of a team rated",
    key="/targetid",
    flows=("lifecycle", "V22"),
    phase="post",
    publishers=("inspection-office",),
    receivers=OFFICES,
)
class ConductRated(Payload):
    """How those who were inspected rated the discipline and style of the team, as counts: who
    answered what is not told.

    被巡视巡察单位对巡视巡察组作风纪律的评议，只汇总票数，不涉及评议人。
    """

    RULES = (
        in_order(
            "returned",
            "issued",
            "收回数不得多于发出数",
            "no more forms come back than went out",
            "forms_miscounted",
        ),
        in_order(
            "valid",
            "returned",
            "有效数不得多于收回数",
            "no more forms are valid than came back",
            "forms_miscounted",
        ),
        Rule("aspect_repeated", "同一评议内容只能出现一次", "an aspect stands twice", _repeated),
        Rule(
            "votes_miscounted",
            "各选项票数之和应等于有效数",
            "the votes on an aspect add up to the valid forms",
            _miscounted,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    groupid: Annotated[Identifier, F1("组别编号", "team")]
    rated_on: Annotated[Day, F1("评议日期", "rated on")]
    issued: Annotated[Count, F1("发出评议表数", "forms issued")]
    returned: Annotated[Count, F1("收回评议表数", "forms returned")]
    valid: Annotated[Count, F1("有效评议表数", "valid forms")]
    aspects: Annotated[
        tuple[Aspect, ...], Field(min_length=1, max_length=20), F1("分项评议", "aspects")
    ]
    overall: Annotated[
        Annotated[Code, coded("evaluation_grade")] | None, F1("总体评价", "overall")
    ] = None
    complaints: Annotated[Count, F1("反映问题件数", "complaints")] = 0
    handling: Annotated[Paragraph | None, F2("反映问题处理情况", "what became of them")] = None
