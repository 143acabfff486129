"""`guantong dead-letters`: what had no form in the pinned version, listed and asked for again."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from adapters.kit.results import HubProblem
from hub.cli.connection import Where, connected
from hub.cli.events import As, show_events
from hub.cli.output import AsJson, complain, show_json, show_table

dead_letters: Final = App(name="dead-letters")
Id = Annotated[str, Parameter(help="订阅编号 / subscription id")]


@dead_letters.command(name="list")
def list_all(
    subscription: Id, *, agency: As = None, as_json: AsJson = False, where: Where = Where()
) -> None:
    """列出未送达的事件及原因。/ List them, with the reason."""
    with connected(where, agency=agency) as client:
        found = list(client.dead_letters(subscription))
    if as_json:
        show_json(found)
    else:
        names = ("n", "类型", "版本", "所定版本", "编号", "尝试次数", "最近一次", "原因")
        show_table(names, [_line(item) for item in found])


@dead_letters.command
def redrive(
    subscription: Id,
    *numbers: Annotated[
        int, Parameter(help="列表中的 n，缺省为列表中的全部 / its n in the list; none: all listed")
    ],
    agency: As = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """再取，按现在所定版本。/ Ask for them again, in the version that is pinned now."""
    events: list[Mapping[str, Any]] = []
    failed = 0
    with connected(where, agency=agency) as client:
        listed = numbers or tuple(item["n"] for item in client.dead_letters(subscription))
        try:
            for n in listed:
                try:
                    events += client.redrive(subscription, n)
                except HubProblem as problem:
                    failed += 1
                    complain(f"{n}  {problem}")
        finally:
            # What has come is listed no more: it is shown whatever ends this.
            show_events(events, as_json=as_json)
    return 1 if failed else 0


def _line(item: Mapping[str, Any]) -> tuple[str, ...]:
    reason = item["reason"]
    why = f"{reason['code']} {reason['pointer']} {reason['message']} / {reason['message_en']}"
    names = ("n", "type", "version", "wanted", "event_id", "attempts", "last")
    return (*(str(item[name]) for name in names), why)
