"""`clue.transferred` 1.1: subjects under different authorities, and hand-overs in batches."""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.clue.v1 import CUSTODIANS, FLOWS, TO_BE_RETIRED, Subject, Transferred
from contracts.common import OrgRef
from contracts.contract import Slip
from contracts.declare import event
from contracts.values import Count, Identifier


class SubjectWithLead(Subject):
    """A subject, and the organ that is in charge of it where the authorities differ."""

    lead: Annotated[OrgRef | None, F2("主办机关", "organ in charge")] = None


@event(
    "clue.transferred",
    "问题线索移交",
    "Clue transferred",
    version="1.1",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    accused=("/subjects/-/org", "/subjects/-/person/org"),
    accused_persons=("/subjects/-/person",),
    custodians=CUSTODIANS,
    due="clue.receipt",
    lifetime=TO_BE_RETIRED,
    slip=Slip(
        title="问题线索移交交接单",
        numbers=("/clueid", "/native_no", "/batch_no", "/handover/form"),
        listed="/basis",
        signed_by=("移交人", "移交人", "接收人", "接收人"),
    ),
)
class TransferredWithLead(Transferred):
    """A clue handed over for verification, with a summary that its custodian wrote; where its
    subjects belong to different authorities, with the organ in charge of each.

    移交方将问题线索移交有管辖权的纪检监察机关或政法机关；被反映对象分属不同管理权限的，逐一填写主办机关，成批移交的填批次和份数。
    """

    subjects: Annotated[
        tuple[SubjectWithLead, ...],
        Field(min_length=1, max_length=100),
        F2("被反映对象", "subjects"),
    ]
    batch_no: Annotated[Identifier | None, F1("移交批次号", "batch")] = None
    copies: Annotated[Count | None, F1("移交份数", "copies handed over")] = None
