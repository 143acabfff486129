"""Steps of a case as data: what must have been told before an event, and what closes the way.

In a mapping: `[steps."clue.concluded"]`, `after = ["clue.disposition_decided"]`,
`not_after = ["clue.returned"]`. A type of which nothing is said may come at any time.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind
from contracts.catalogue import load_catalogue


def _known(type_: str) -> str:
    if not load_catalogue().versions(type_):
        raise ValueError(f"no contract {type_!r}")
    return type_


Type = Annotated[str, AfterValidator(_known)]


class Step(BaseModel):
    """When events of a type may come: after one each of `after`, and none of `not_after`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: tuple[Type, ...] = ()
    not_after: tuple[Type, ...] = ()


Steps = Mapping[Type, Step]


def impossible(type_: str, gone_before: Collection[str], steps: Steps) -> Wrong | None:
    """Why an event of a type cannot come after those of its case; None when it can.

    What was told before may always be told again, as a correction.
    """
    missing, closed = _against(type_, gone_before, steps)
    if not missing and not closed:
        return None
    title = _title(type_)
    told = [f"“{title}”之前须先有{_titles(missing)}"] if missing else []
    told += [f"已有{_titles(closed)}，不能再报“{title}”"] if closed else []
    new = (each for each in steps if each not in gone_before)
    open_now = [each for each in new if not any(_against(each, gone_before, steps))]
    now = f"现在可以填报：{_titles(open_now)}" if open_now else "此件已无后续步骤"
    return Wrong(FaultKind.STEP, "；".join(told), f"{now}；已报过的可以更正后再报")


def _against(type_: str, gone_before: Collection[str], steps: Steps) -> tuple[list[str], list[str]]:
    """What is missing before an event of a type, and what has closed its way."""
    step = steps.get(type_)
    if step is None or type_ in gone_before:
        return [], []
    return (
        [each for each in step.after if each not in gone_before],
        [each for each in step.not_after if each in gone_before],
    )


def never_possible(steps: Steps) -> frozenset[str]:
    """The types that come after themselves in a circle, or after what closes their way."""
    possible: set[str] = set()
    left = set(steps)
    while ready := {t for t in left if not left.intersection(steps[t].after)}:
        possible |= ready
        left -= ready
    closing = {t for t, step in steps.items() if set(step.after).intersection(step.not_after)}
    return frozenset(left | closing)


def _titles(types: Iterable[str]) -> str:
    return "、".join(f"“{_title(each)}”" for each in types)


def _title(type_: str) -> str:
    return load_catalogue().versions(type_)[-1].title
