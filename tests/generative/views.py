"""What a recipient gets of an event (design 6 and 7), written from the text alone."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.fields import Field
from tests.generative.model import Allowed, Event

# Decision 9: what the contracts mark as summary; a code is marked with what it consists of.
SUMMARY: Final = {
    "clue.concluded": (
        "/outcomes",
        "/outcomes/-/subject_no",
        "/outcomes/-/outcome",
        "/outcomes/-/form",
        "/outcomes/-/clarified",
    ),
    "commonissue.published": ("/issues/-/manifestations", "/issues/-/causes"),
}
# Design 6: what a view may carry of an event's attributes.
NAMED: Final = (
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "dataschema",
    "datacontenttype",
    "region",
    "to",
    "cc",
    "phase",
    "correlationid",
    "causationid",
    "roundid",
    "dataclassification",
    "classperiod",
    "caveats",
    "replydue",
    "supersedes",
    "resendof",
    "sequence",
    "expirytime",
    "partitionkey",
    "traceparent",
    "tracestate",
    "recordedtime",
)


def view(event: Event, allowed: Allowed) -> dict[str, Any]:
    """The whole document that the recipient gets."""
    fields = event.contract.fields
    if "sealed" in event.caveats:
        shown: dict[str, Any] = {}
        withheld = [f"/{field.name}" for field in fields]
    else:
        withheld = []
        shown = _shown(event, event.data, fields, "", allowed, withheld)
        # Source-protected members come last, there or not, so that their place tells nothing.
        if "F4" not in allowed.classes or allowed.masked:
            withheld.extend(event.contract.source_protected)
    attributes = event.attributes
    if withheld:
        attributes = {name: value for name, value in attributes.items() if name in NAMED}
    told = {"hubwithheld": " ".join(dict.fromkeys(withheld))} if withheld else {}
    return {**attributes, **(event.hub or {}), **told, "data": shown}


def _shown(
    event: Event,
    value: Mapping[str, Any],
    fields: tuple[Field, ...],
    above: str,
    allowed: Allowed,
    withheld: list[str],
) -> dict[str, Any]:
    """What stays of an object; the pointers of what does not are added to `withheld`."""
    shown = {}
    for field in fields:
        pointer = f"{above}/{field.name}"
        if not _visible(event, pointer, field, allowed):
            told = value.get(field.name) is not None
            if told and pointer not in event.contract.source_protected:
                withheld.append(pointer)
            continue
        if field.name not in value:
            continue
        part = value[field.name]
        if part is None or not field.parts:
            shown[field.name] = part
            continue
        inner: list[str] = []
        items = part if field.many else [part]
        below = f"{pointer}/-" if field.many else pointer
        seen = [_shown(event, item, field.parts, below, allowed, inner) for item in items]
        if any(_tells(item) and not left for item, left in zip(items, seen, strict=True)):
            # An array of which an item goes goes as a whole, so that counts do not leak.
            withheld.append(pointer)
            continue
        withheld.extend(inner)
        shown[field.name] = seen if field.many else seen[0]
    return shown


def _tells(item: Mapping[str, Any]) -> bool:
    """Whether an object holds anything: a member that is null is as good as absent."""
    return any(held is not None for held in item.values())


def _visible(event: Event, pointer: str, field: Field, allowed: Allowed) -> bool:
    """Whether a field, the highest class on its path, may be seen."""
    if field.field_class not in allowed.classes:
        return False
    if not allowed.masked or field.field_class in ("F0", "F1"):
        return True
    marked = SUMMARY.get(event.contract.type, ())
    # `/outcomes` alone does not mark all that is in it.
    return pointer in marked or any(pointer.startswith(f"{name}/") for name in marked[1:])
