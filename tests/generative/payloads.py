"""Valid payloads of every contract, whose parties hit registered bodies by each of the ways.

Every text that a field of class F2 to F4 may hold freely carries the canary.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, Final

from contracts.catalogue import load_catalogue
from contracts.classes import F2
from contracts.fields import walk
from contracts.identifiers import citizen_id_with_check_digit
from tests.examples import VALID, contract_of, payload_in
from tests.generative.versions import as_2_0

CANARY: Final = "canary9d2f"
IDNO: Final = citizen_id_with_check_digit("51010419700101000")
PHONE: Final = "19900009206"
SIGNED: Final = "2026-09-10T10:00:00+08:00"
Json = dict[str, Any]
Records = Sequence[Mapping[str, Any]]


def secret(what: str) -> str:
    """A text that is nobody else's to read."""
    return f"{what}{CANARY}"


def often(random: Random, share: float, **members: Any) -> Json:
    """Each of these members, or not."""
    return {name: held for name, held in members.items() if random.random() < share}


def organisation(random: Random, agencies: Records) -> Json:
    """An organisation that names a registered body by one of the ways, or nobody."""
    record = random.choice(agencies)
    ways: list[Json] = [
        {},
        {"orgid": secret("o")},
        {"orgid": record["id"]},
        {"name": respelt(random, record["name"])},
    ]
    if "organ" in record:
        ways.append({"orgid": record["organ"]})
    if "uscc" in record:
        ways += [{"uscc": record["uscc"]}, {"orgcode": record["uscc"][8:17]}]
    if "orgcode" in record:
        ways.append({"orgcode": record["orgcode"]})
    more = often(random, 0.2, region="510104", level="county", parent=secret("p"))
    return {"name": secret("某单位"), **random.choice(ways), **more}


def respelt(random: Random, name: str) -> str:
    """A name as another writer spells it."""
    spellings: Sequence[Callable[[str], str]] = (
        str,
        str.lower,
        lambda text: text.replace("ABC", "ＡＢＣ"),
        lambda text: text.replace("（", "(").replace("）", ")"),
        lambda text: " ".join(text),
        lambda text: f"\u3000{text}\u00a0",
    )
    return random.choice(spellings)(name)


def person(random: Random, agencies: Records) -> Json:
    """A person: a head of a registered body by key or by name, one of its people, or nobody."""
    heads = [head for record in agencies for head in record.get("heads", ())]
    who: Json = {"name": secret("某人")}
    if heads and random.random() < 0.7:
        head = random.choice(heads)
        keyed = {"personkey": head["personkey"]} if "personkey" in head else {}
        who = random.choice(({"name": respelt(random, head["name"])}, {**who, **keyed}))
    return {
        **often(random, 0.2, personkey=secret("k")),
        **who,
        **often(random, 0.4, org=organisation(random, agencies)),
        **often(
            random,
            0.2,
            idno=IDNO,
            gender="1",
            birth="1970-01",
            post=random.choice((secret("主任"), None)),
            rank=open_code(random, "cadre_rank", "141"),
            authority="县管",
            political=code(random, "political_status", "01"),
        ),
    }


def code(random: Random, listed: str, member: str) -> Json:
    """A member of a code list, as a person's system shows it."""
    more = often(random, 0.3, label=secret("标"), list=listed, version=secret("v"))
    return {"code": member, **more}


def open_code(random: Random, listed: str, member: str) -> Json:
    """A member of a code list that takes others too, if they are labelled."""
    return random.choice(({"code": secret("c"), "label": "示例"}, code(random, listed, member)))


def money(random: Random) -> Json:
    """An amount."""
    return {"amount": "3.5", "unit": "万元", **often(random, 0.3, currency="CNY")}


def due(random: Random) -> Json:
    """A date by which an answer is owed, sometimes moved."""
    moved = {"until": "2027-01-01", "reason": "延期", "approved_by": handler(random)}
    return {"date": "2026-12-01", **often(random, 0.4, rule="clue.conclusion", extended=[moved])}


def handler(random: Random) -> Json:
    """Who handled a step."""
    org = random.choice(({"name": "示例案管室"}, None))
    # A member that is null is as good as absent.
    return {"name": secret("经办"), **often(random, 0.5, org=org, signed_at=SIGNED)}


def common(random: Random) -> Json:
    """What every payload may carry."""
    letter: Json = {
        **often(random, 0.1, signer=None),
        **often(random, 0.5, docno="示〔2026〕1号", kind="函", issuers=["示例甲", "示例乙"]),
        **often(random, 0.5, signer=secret("签发"), contact=secret("联系")),
        **often(random, 0.2, copyno=None, classification_period=None, main_to=["示例丙"]),
    }
    handlers = [handler(random) for _ in range(random.randint(1, 3))]
    aliases = [{"system": "示例系统", "number": "SL-1"}]
    return often(random, 0.3, letter=letter, handlers=handlers, aliases=aliases, original="scan")


def document(random: Random) -> Json:
    """A document kept elsewhere."""
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    texts = {name: secret(name) for name in ("docno", "kind", "stored_at", "copyno", "custodian")}
    made = {"sm3": digest, "sha256": digest, "size": 12, "pages": 3, "date": "2026-05-08"}
    kept = often(random, 0.4, **texts, **made, classification="internal", original="paper")
    return {"title": secret("底稿"), **kept}


def clue_transferred(random: Random, case: str, agencies: Records) -> Json:
    """A clue handed over."""

    def subject(number: int) -> Json:
        if random.random() < 0.5:
            named: Json = {"org": organisation(random, agencies)}
        else:
            named = {"person": person(random, agencies)}
        role = often(random, 0.3, role="其他涉及人")
        return {"subject_no": number, **named, **role, "authority": "市管"}

    found = {"roundid": "r-1", "targetid": "t-1", "groupid": "g-1"}
    inspected = random.random() < 0.3
    reporter = {"kind": "anonymous", "count": 1, "sealed_ref": secret("MF-")}
    return {
        **common(random),
        "clueid": case,
        "title": "示例线索",
        "source": {"code": "inspection" if inspected else "letter"},
        "discipline_kind": [{"code": "3"}],
        "subjects": [subject(n) for n in range(1, random.randint(2, 4))],
        "summary": secret("摘要"),
        "handover": {"form": "交接单", "from": [handler(random) for _ in range(2)], "at": SIGNED},
        **({"found_in": found} if inspected else {}),
        **often(random, 0.5, reporter=reporter, basis=[document(random) for _ in range(2)]),
        **often(
            random,
            0.3,
            native_no="示〔2026〕3号",
            amount=money(random),
            period_from="2023-03-01",
            period_to="2025-11-30",
            confidentiality="high",
            suggested_disposition=code(random, "disposition", "shelved"),
            repeat_of="another",
        ),
    }


def clue_in_version(random: Random, version: str, told: Json, agencies: Records) -> Json:
    """A clue as a publisher of a version hands it over, out of what one of 1.0 would say."""
    if version == "1.0":
        return told
    share = random.choice((0, 0.5, 1))
    if version == "2.0":
        share = round(share)
    leads = [often(random, share, lead=organisation(random, agencies)) for _ in told["subjects"]]
    batch = often(random, 0.4, batch_no="PC-1", copies=2)
    subjects = [{**s, **lead} for s, lead in zip(told["subjects"], leads, strict=True)]
    newer = {**told, **batch, "subjects": subjects}
    if version == "1.1":
        return newer
    made = as_2_0(newer)
    assert made is not None, "an organ in charge of all, or of none"
    for subject in (*made.get("persons", ()), *made.get("organisations", ())):
        subject |= often(random, 0.5, discipline_kind=told["discipline_kind"])
    if "amount_yuan" in made:
        amounts = [{"kind": {"code": "loss"}, "yuan": made["amount_yuan"]}]
        made |= often(random, 0.5, amounts=amounts)
    return made


def clue_received(random: Random, case: str, agencies: Records) -> Json:
    """A clue signed for."""
    return {
        **common(random),
        "clueid": case,
        "receiver": [handler(random) for _ in range(2)],
        "received_at": SIGNED,
        "register_no": "R-1",
        **often(random, 0.5, room="案管室"),
    }


def clue_returned(random: Random, case: str, agencies: Records) -> Json:
    """A clue given back."""
    return {
        **common(random),
        "clueid": case,
        "receiver": [handler(random) for _ in range(2)],
        "received_at": SIGNED,
        "reason": {"code": "duplicate"},
        "note": secret("说明"),
        "approved_by": handler(random),
    }


def clue_disposition_decided(random: Random, case: str, agencies: Records) -> Json:
    """What is done with a clue."""
    decided = {"subject_no": 1, "disposition": code(random, "disposition", "shelved")}
    kinds = often(random, 0.5, discipline_kind=[code(random, "discipline_kind", "3")])
    moved = often(random, 0.3, transferred_to=organisation(random, agencies))
    return {
        **common(random),
        "clueid": case,
        "dispositions": [{**decided, **kinds}],
        "decided_at": SIGNED,
        "approver_level": "负责人",
        "handlers": [handler(random)],
        **moved,
        **often(random, 0.5, due=due(random)),
    }


def clue_concluded(random: Random, case: str, agencies: Records) -> Json:
    """What came of a clue."""

    def outcome(number: int) -> Json:
        given = {
            "person": person(random, agencies),
            "party": code(random, "party_sanction", "warning"),
            **often(
                random,
                0.3,
                administrative=code(random, "administrative_sanction", "warning"),
                organizational=open_code(random, "organizational_measure", "transfer"),
            ),
        }
        return {
            "subject_no": number,
            "outcome": code(random, "clue_outcome", "founded"),
            **often(random, 0.5, form=2, sanctions=[given], clarified=True),
        }

    return {
        **common(random),
        "clueid": case,
        "handlers": [handler(random)],
        "outcomes": [outcome(n) for n in range(1, random.randint(2, 4))],
        "concluded_at": SIGNED,
        "feedback_text": secret("反馈"),
        **often(random, 0.4, recovered=money(random)),
        **often(random, 0.5, reply_to_reporter_done=True),
    }


def petition_case_transferred(random: Random, case: str, agencies: Records) -> Json:
    """A petition case."""
    accusation = random.random() < 0.5
    writer = often(
        random, 0.7, name=secret("来信人"), idno=IDNO, phone=PHONE, address=secret("住址")
    )

    def accused() -> Json:
        named = person(random, agencies)
        unit = {"unit": named["org"]} if "org" in named else {}
        told = often(random, 0.8, name=named["name"], post=secret("职务"), rank=secret("职级"))
        return {**told, **unit}

    return {
        **common(random),
        "petitionid": case,
        "form": {"code": "1"},
        "purpose": {"code": "3" if accusation else "2"},
        "content_class": {"code": "land"},
        "place": "510104",
        "date": "2026-10-08",
        "people": 3,
        "summary": secret("反映"),
        **often(random, 0.7, **{"accuser" if accusation else "petitioner": writer}),
        **often(random, 0.7, accused=[accused() for _ in range(random.randint(1, 3))]),
        **often(random, 0.3, native={"xfjbh": "5101"}, litigation=True, due=due(random)),
    }


def briefing_provided(random: Random, case: str, agencies: Records) -> Json:
    """A briefing on an inspected party."""
    item = {"title": secret("事项"), "text": secret("详情")}
    more = {"docref": document(random), "money": money(random), "class": secret("类")}
    dated = often(random, 0.4, date="2024-11-06", **more)
    return {
        **common(random),
        "roundid": "r-1",
        "targetid": case,
        "section": {"code": "audit"},
        "period": {"from": "2021-01-01", "to": "2025-12-31"},
        "items": [{**item, **dated} for _ in range(random.randint(1, 2))],
        **often(random, 0.6, target=organisation(random, agencies)),
        **often(random, 0.4, leaders=[person(random, agencies)], custodian=secret("保管")),
        **often(random, 0.4, indicators=[{"code": "a.b", "value": "14"}]),
    }


PAYLOADS: Final[Mapping[str, Callable[[Random, str, Records], Json]]] = {
    "clue.transferred": clue_transferred,
    "clue.received": clue_received,
    "clue.returned": clue_returned,
    "clue.disposition_decided": clue_disposition_decided,
    "clue.concluded": clue_concluded,
    "petition.case_transferred": petition_case_transferred,
    "briefing.provided": briefing_provided,
}


def payload(random: Random, type_: str, case: str, agencies: Records) -> Json:
    """A valid payload of a type's 1.0 in this case, about registered bodies or nobody."""
    drawn = PAYLOADS.get(type_)
    return drawn(random, case, agencies) if drawn else _of_examples(random, type_, case, agencies)


def _of_examples(random: Random, type_: str, case: str, agencies: Records) -> Json:
    """One of the contract's examples, with canaries, in this case and about these bodies."""
    contract = load_catalogue().find(type_, "1.0")
    assert contract is not None
    plain = random.choice(_planted(type_))
    for party in contract.parties:
        plain = at(plain, party.pointer.split("/")[1:], lambda _: organisation(random, agencies))
    named = {**plain, contract.key.removeprefix("/"): case}
    if isinstance(contract.check(json.dumps(named).encode()), tuple):
        # Rules that join the bodies of one payload want them as they were.
        named = {**random.choice(_planted(type_)), contract.key.removeprefix("/"): case}
    return named


@cache
def _planted(type_: str) -> tuple[Json, ...]:
    """The examples of a type, every free text of the classes F2 to F4 a canary."""
    contract = load_catalogue().find(type_, "1.0")
    assert contract is not None
    secret_texts = [p for p, f in walk(contract.fields) if f.field_class >= F2 and not f.parts]
    found: list[Json] = []
    for example in VALID:
        if contract_of(example) is contract:
            document = payload_in(example)
            for pointer in secret_texts:
                steps = pointer.split("/")[1:]
                spoilt = at(document, steps, lambda held: secret("x") if held else held)
                if not isinstance(contract.check(json.dumps(spoilt).encode()), tuple):
                    document = spoilt
            found.append(document)
    return tuple(found)


def at(value: Any, steps: Sequence[str], change: Callable[[Any], Any]) -> Any:
    """The document with what stands at a pointer changed, in every item of its arrays."""
    if value is None:
        return None
    if not steps:
        return change(value)
    if isinstance(value, list):
        return [at(item, steps[1:], change) for item in value]
    if steps[0] not in value:
        return value
    return {**value, steps[0]: at(value[steps[0]], steps[1:], change)}
