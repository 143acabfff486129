"""What suggestions of delegates and proposals share: who handles them, the answer."""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, OrgRef, Part, coded
from contracts.values import Day, Paragraph


class Handling(Part):
    """Who handles a suggestion or proposal (主办、会办), and by when."""

    lead: Annotated[OrgRef, F1("主办单位", "lead body")]
    joint: Annotated[tuple[OrgRef, ...], Field(max_length=20), F1("会办单位", "joint bodies")] = ()
    reply_by: Annotated[Day | None, F1("答复期限", "reply due")] = None


class Reply(Part):
    """What the lead body answered, and how those who asked took it."""

    replied_on: Annotated[Day, F1("答复日期", "replied on")]
    outcome: Annotated[Annotated[Code, coded("proposal_outcome")], F1("办理结果分类", "outcome")]
    satisfaction: Annotated[
        Annotated[Code, coded("satisfaction")] | None, F1("满意度", "satisfaction")
    ] = None
    text: Annotated[Paragraph | None, F2("答复要点", "reply in brief")] = None
