"""Every flow of the field has its types, and every type of the field is here, written out again."""

from collections.abc import Iterator
from typing import Final

import pytest

from contracts.catalogue import load_catalogue
from contracts.contract import Contract

# A flow: chains apart by `;`, steps by `→`, and the types of one step by blanks.
FLOWS: Final = {
    "V01": "directive.issued → directive.acknowledged directive.progress_reported",
    "V02": "plan.submitted → plan.approved plan.returned",
    "V03": "plan.round_assigned; coverage.reported → coverage.alert_raised",
    "V04": "jointtask.assigned → jointtask.accepted jointtask.declined"
    " jointtask.progress_reported jointtask.concluded",
    "V05": "guidance.team_dispatched → guidance.findings_issued → guidance.response_reported",
    "V06": "guidance.check_ordered → guidance.check_reported",
    "V07": "filing.submitted → filing.recorded filing.returned",
    "V08": "consultation.requested → consultation.answered;"
    " meeting.convened → meeting.conclusion_recorded",
    "V09": "progress.reported → guidance.comment_issued",
    "V10": "issue.shared → issue.verification_reported",
    "V11": "rectification.item_assigned → rectification.progress_reported",
    "V12": "commonissue.published → commonissue.selfcheck_reported",
    "V13": "dataset.published; dataset.query_requested → dataset.query_answered",
    "V14": "secondment.requested → secondment.confirmed secondment.declined; secondment.ended",
    "V15": "report.submitted → decision.issued",
    "V16": "report.submitted → decision.issued",
    "V17": "assessment.result_reported → assessment.applied",
    "V18": "accountability.talk_notified → accountability.talk_recorded",
    "V19": "accountability.proposed → accountability.decided",
    "V20": "directive.issued → directive.progress_reported",
    "V21": "experience.submitted → experience.published",
    "V22": "staffing.reported; training.announced → training.result_reported",
    "V23": "regulation.published → regulation.adoption_reported",
    "V24": "rollup.reported → rollup.rejected rollup.accepted",
    "H01": "briefing.requested → briefing.provided",
    "H02": "secondment.requested → secondment.confirmed secondment.declined",
    "H03": "consultation.requested → consultation.answered; support.requested → support.provided",
    "H04": "clue.transferred → clue.received clue.returned → clue.disposition_decided"
    " → clue.progress_reported → clue.concluded",
    "H05": "rectification.supervision_recorded → rectification.correction_reported",
    "H06": "secondment.requested → secondment.confirmed secondment.declined; recusal.declared",
    "H07": "briefing.provided; cadre.profile_provided;"
    " cadre.issue_transferred → cadre.issue_handled",
    "H08": "rectification.supervision_recorded; result.applied;"
    " cadre.opinion_requested → cadre.opinion_given",
    "H09": "briefing.provided",
    "H10": "policy.consulted → policy.answered",
    "H11": "secondment.requested → secondment.confirmed secondment.declined;"
    " support.requested → support.provided",
    "H12": "recommendation.issued → recommendation.responded; sector.rectification_reported",
    "H13": "audit.plan_shared; audit.finding_reported; audit.rectification_reported;"
    " audit.assistance_requested",
    "H14": "petition.summary_provided; petition.case_transferred → petition.accepted"
    " petition.rejected → petition.replied → petition.closed",
    "H15": "finance.dataset_published; finance.anomaly_reported",
    "H16": "statistics.dataset_published; statistics.fraud_reported",
    "H17": "publicopinion.alert_raised → publicopinion.handled;"
    " disclosure.requested → disclosure.published",
    "H18": "legal.case_notified; clue.transferred; legal.result_notified",
    "H19": "congress.deliberation_shared; result.notified",
    "H20": "cppcc.proposal_shared; result.notified",
    "H21": "tip.received; disclosure.published",
    "H22": "media.report_captured → publicopinion.handled",
    "H23": "result.notified; dataset.published",
    "H24": "rectification.plan_submitted → rectification.plan_reviewed;"
    " rectification.report_submitted → rectification.evaluated",
    "lifecycle": "inspection.authorized; inspection.announced; inspection.entered; issue.drafted;"
    " issue.immediate_rectification_ordered → issue.immediate_rectification_reported;"
    " inspection.left; report.submitted; feedback.issued; inspection.closed",
}
# These follow on what the flow begins with and are openings: their declarations say why.
FOLLOW_BY_THEMSELVES: Final = {"V09": "guidance.comment_issued", "H22": "publicopinion.handled"}
# What the platform itself owes: that there are types that serve it.
DUTIES: Final = ("P01", "P02", "P03", "P04", "P05", "P06", "P07")
TYPES: Final = """
plan: submitted approved returned round_assigned
coverage: reported alert_raised
directive: issued acknowledged progress_reported
jointtask: assigned accepted declined progress_reported concluded
guidance: team_dispatched check_ordered check_reported findings_issued response_reported
guidance: comment_issued comment_answered
filing: submitted recorded returned
meeting: convened conclusion_recorded
consultation: requested answered
policy: consulted answered
support: requested provided refused
secondment: requested confirmed declined ended
recusal: declared decided
briefing: requested provided declined
cadre: profile_provided opinion_requested opinion_given
cadre: issue_transferred issue_received issue_returned issue_handled
inspection: authorized announced entered left closed stage_changed target_profiled conduct_rated
progress: reported
issue: drafted confirmed shared verification_reported
issue: immediate_rectification_ordered immediate_rectification_reported
tip: received acknowledged answered
clue: transferred received returned disposition_decided progress_reported extended concluded
clue: forwarded_up supplemented merged split reassigned
petition: summary_provided case_transferred accepted rejected replied closed
petition: objected objection_decided review_decided rereview_decided
audit: plan_shared assistance_requested assistance_answered finding_reported report_shared
audit: rectification_reported
finance: dataset_published anomaly_reported anomaly_handled
statistics: dataset_published fraud_reported fraud_handled
publicopinion: alert_raised handled
media: report_captured
legal: case_notified result_notified
congress: deliberation_shared
cppcc: proposal_shared
report: submitted
decision: issued progress_reported
feedback: issued acknowledged circulated
recommendation: issued responded
sector: rectification_reported
rectification: plan_submitted plan_reviewed report_submitted evaluated
rectification: item_assigned item_accepted item_disputed progress_reported
rectification: item_closed item_reopened overdue
rectification: supervision_recorded correction_reported public_rated
disclosure: requested published
result: notified applied
assessment: result_reported applied
accountability: talk_notified talk_recorded proposed decided
commonissue: published selfcheck_reported
experience: submitted published
staffing: reported
training: announced result_reported
regulation: published adoption_reported
dataset: published query_requested query_answered query_refused
rollup: reported accepted rejected
material: requested provided refused
survey: announced findings_shared
handover: sent signed
ledger: stated reconciled
exchange: signed supplement_requested supplemented urged urge_answered
exchange: extension_requested extension_granted extension_refused
exchange: recalled recall_confirmed cosign_requested cosigned cosign_refused
delivery: receipt failed overdue
package: sealed imported gap_detected
access: revealed
contract: published retired
retention: purged
schema: rejected
"""

REPLIES: Final = [contract for contract in load_catalogue() if contract.answers]


def types_listed() -> Iterator[str]:
    for line in TYPES.strip().splitlines():
        family, _, names = line.partition(": ")
        yield from (f"{family}.{name}" for name in names.split())


def chains_in(flow: str) -> list[list[list[str]]]:
    return [[step.split() for step in chain.split("→")] for chain in FLOWS[flow].split(";")]


def test_the_catalogue_has_every_type_of_the_field_and_no_other() -> None:
    listed = list(types_listed())
    assert len(listed) == len(set(listed)) == 190
    assert set(load_catalogue().types()) == set(listed)


@pytest.mark.parametrize("flow", FLOWS)
def test_the_types_of_a_flow_name_it(flow: str) -> None:
    named = {c.type for c in load_catalogue() if flow in c.flows}
    assert {t for chain in chains_in(flow) for step in chain for t in step} <= named


@pytest.mark.parametrize("flow", FLOWS)
def test_what_comes_back_in_a_flow_answers_a_step_before_it(flow: str) -> None:
    for chain in chains_in(flow):
        for place, step in enumerate(chain[1:], 1):
            before = {type_ for earlier in chain[:place] for type_ in earlier}
            for type_ in step:
                for contract in load_catalogue().versions(type_):
                    # What follows by itself must not answer these: they share no case with it.
                    by_itself = FOLLOW_BY_THEMSELVES.get(flow) == type_
                    assert bool(before & set(contract.answers)) is not by_itself, contract.name
                    opens = contract.unasked or not contract.answers
                    assert opens or not by_itself, contract.name


@pytest.mark.parametrize("duty", DUTIES)
def test_every_duty_of_the_platform_is_served_by_some_type(duty: str) -> None:
    assert any(duty in contract.flows for contract in load_catalogue())


def test_no_type_names_a_flow_that_there_is_not() -> None:
    named = {flow for contract in load_catalogue() for flow in contract.flows}
    assert named <= {*FLOWS, *DUTIES}


@pytest.mark.parametrize("reply", REPLIES, ids=lambda contract: contract.urn)
def test_whoever_received_an_opening_may_send_its_replies(reply: Contract) -> None:
    catalogue = load_catalogue()
    assert catalogue.senders(reply)
    for type_ in reply.answers:
        for opening in catalogue.versions(type_):
            received = opening.receivers.keys()
            assert received <= catalogue.senders(reply), opening.name
