"""What the types of audit share: the project, amounts by kind."""

from typing import Annotated

from contracts.classes import F1, F2
from contracts.common import Code, Money, OrgRef, Part, Period, PersonRef, coded
from contracts.rules import needs
from contracts.values import Line

ACCOUNTABILITY = "accountability"


class Project(Part):
    """An audit project: what is audited, at whom, for which years."""

    RULES = (
        needs(
            "leader",
            lambda it: it.kind.code == ACCOUNTABILITY,
            "经济责任审计须填被审计的领导干部",
            "an audit of economic responsibility names the official whom it audits",
            "leader_missing",
        ),
    )

    name: Annotated[Line, F1("审计项目名称", "project")]
    kind: Annotated[Annotated[Code, coded("audit_project_kind")], F1("审计项目类型", "kind")]
    auditee: Annotated[OrgRef, F1("被审计单位", "auditee")]
    leader: Annotated[PersonRef | None, F2("被审计领导干部", "audited official")] = None
    department: Annotated[OrgRef | None, F1("主管部门", "department in charge")] = None
    period: Annotated[Period | None, F1("审计期间", "period audited")] = None


class MoneyOfKind(Part):
    """An amount and what it is: reports state 违规金额 and 管理不规范金额 apart."""

    kind: Annotated[Annotated[Code, coded("audit_money_kind")], F1("金额性质", "kind of amount")]
    money: Annotated[Money, F1("金额", "amount")]
