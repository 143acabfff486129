"""From one version of a type to another: what a subscriber is sent who has pinned another version.

Within a major version a newer minor only adds optional members: going up changes nothing, going
down leaves out what the older one does not declare. Between majors the family's `convert.py` says
how, both ways, and what is lost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contracts.contract import Contract
from contracts.faults import Fault
from contracts.fields import Field

Step = Callable[[dict[str, Any]], dict[str, Any]]
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class Inconvertible(Exception):
    """An event that has no form in the other version; the sentences name no value of it.

    `fault`: what the other version's contract says of the converted payload, where it was asked.
    """

    def __init__(self, message: str, message_en: str, fault: Fault | None = None) -> None:
        super().__init__(message_en)
        self.message = message
        self.message_en = message_en
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Loss:
    """What a conversion cannot carry: where it stands in the version that has it, and why."""

    pointer: str
    message: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """How one type passes between the last minor of a major version and the first of the next.

    `up` and `down` take a whole payload as JSON and give one, without changing what they were
    given; they raise Inconvertible. `lost_up` and `lost_down` are what each cannot carry;
    `refused_up` and `refused_down` what has no form in the other version, so that an event with it
    is parked: to leave it out would say something else.
    """

    type: str
    older: str
    newer: str
    up: Step
    down: Step
    lost_up: tuple[Loss, ...]
    lost_down: tuple[Loss, ...]
    refused_up: tuple[Loss, ...]
    refused_down: tuple[Loss, ...]


class Route:
    """The way of a type's payloads from one of its versions to another."""

    def __init__(self, steps: Sequence[Step], target: Contract, *, sure: bool) -> None:
        self._steps = tuple(steps)
        self._target = target
        self._sure = sure

    def carry(self, data: bytes) -> bytes:
        """The payload in the target version; the same bytes where nothing has to change.

        Raises Inconvertible. Between majors the target contract is asked whether it holds; whether
        its codes may be used was asked when it came, so that it is converted alike ever after.
        """
        if not self._steps:
            return data
        payload = _decode(data)
        for step in self._steps:
            payload = step(payload)
        carried = _encode(payload)
        if not self._sure:
            checked = self._target.check_converted(carried)
            if isinstance(checked, tuple):
                raise _unfit(self._target, checked[0])
        return carried


def route(
    versions: Sequence[Contract], conversions: Iterable[Conversion], source: str, target: str
) -> Route:
    """The way between two of a type's `versions` (oldest first).

    Raises LookupError where no conversion joins two majors, which a test rules out.
    """
    by_version = {contract.version: contract for contract in versions}
    joints = {major_of(c.older): c for c in conversions if c.type == versions[0].type}
    steps: list[Step] = []
    here, there = major_of(source), major_of(target)
    at = source
    while here != there:
        conversion = joints[here] if here < there else joints[here - 1]
        leave, reach, step = (
            (conversion.older, conversion.newer, conversion.up)
            if here < there
            else (conversion.newer, conversion.older, conversion.down)
        )
        steps += (*_within(by_version, at, leave), step)
        at, here = reach, major_of(reach)
    steps += _within(by_version, at, target)
    return Route(steps, by_version[target], sure=major_of(source) == there)


def major_of(version: str) -> int:
    """The number before the dot."""
    return int(version.partition(".")[0])


def _within(versions: dict[str, Contract], source: str, target: str) -> Iterable[Step]:
    """From minor to minor: nothing on the way up, leaving out on the way down."""
    if int(target.partition(".")[2]) < int(source.partition(".")[2]):
        fields = versions[target].fields
        yield lambda payload: _declared(payload, fields)


def _declared(part: dict[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """An object with its declared members alone, and so all objects in it."""
    kept: dict[str, Any] = {}
    for field in fields:
        if field.name in part:
            value = part[field.name]
            if field.parts and value is not None:
                value = (
                    [_declared(item, field.parts) for item in value]
                    if field.many
                    else _declared(value, field.parts)
                )
            kept[field.name] = value
    return kept


def _unfit(target: Contract, fault: Fault) -> Inconvertible:
    return Inconvertible(
        f"转换为 {target.name} 后不符合该契约：{fault.pointer}（{fault.code}）",
        f"not what {target.name} asks for once converted: {fault.pointer} ({fault.code})",
        fault,
    )
