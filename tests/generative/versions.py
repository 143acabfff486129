"""What a subscriber gets who has pinned a version (design 8), written from the text alone.

`clue.transferred` alone has several: 1.1 adds to 1.0 an organ in charge of each subject, and the
batch; 2.0 tells persons and organisations apart, and amounts in yuan.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tests.generative.model import Event

Json = dict[str, Any]
TYPE: Final = "clue.transferred"
VERSIONS: Final = ("1.0", "1.1", "2.0")


def in_version(event: Event, version: str) -> Event | None:
    """The event as it is handed over; None for what has no form in the version and is parked."""
    if version == event.contract.version or "sealed" in event.caveats:
        return event
    data = carried(event.data, event.contract.version, version)
    if data is None:
        return None
    published = event.attributes["dataschema"]
    attributes = {**event.attributes, "dataschema": f"urn:guantong:contract:{TYPE}:{version}"}
    return replace(
        event,
        attributes=attributes,
        data=data,
        hub={**(event.hub or {}), "hubconverted": published},
    )


def carried(data: Mapping[str, Any], source: str, target: str) -> Json | None:
    """A payload of one version in another one, by way of 1.1."""
    told = as_1_1(data) if source == "2.0" else dict(data)
    if target == "2.0":
        return as_2_0(told)
    if target == "1.0":
        told = without(told, "batch_no", "copies")
        told["subjects"] = [without(subject, "lead") for subject in told["subjects"]]
    return told


def as_2_0(data: Json) -> Json | None:
    """Who is in charge is said of every subject or of none."""
    subjects = data["subjects"]
    if len({subject.get("lead") is None for subject in subjects}) > 1:
        return None
    told = without(data, "subjects", "amount")
    persons = [without(s, "org") for s in subjects if s.get("person") is not None]
    organisations = [without(s, "person") for s in subjects if s.get("org") is not None]
    told |= {"persons": persons} if persons else {}
    told |= {"organisations": organisations} if organisations else {}
    if data.get("amount") is not None:
        told["amount_yuan"] = in_yuan(**data["amount"])
    return told


def as_1_1(data: Mapping[str, Any]) -> Json:
    """Breaches are told of the clue alone, an amount as a whole."""
    told = without(data, "persons", "organisations", "amount_yuan", "amounts")
    subjects = [*data.get("persons", ()), *data.get("organisations", ())]
    told["subjects"] = [without(subject, "discipline_kind") for subject in subjects]
    if data.get("amount_yuan") is not None:
        told["amount"] = {"amount": data["amount_yuan"], "unit": "元"}
    return told


def in_yuan(amount: str, unit: str, currency: str = "CNY") -> str:
    """Ten thousand yuan are four more digits."""
    assert currency == "CNY"
    whole, _, fraction = amount.partition(".")
    return amount if unit == "元" else str(int(whole + fraction.ljust(4, "0")))


def without(part: Mapping[str, Any], *names: str) -> Json:
    """An object without some of its members."""
    return {name: held for name, held in part.items() if name not in names}
