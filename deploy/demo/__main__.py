"""`make demo`: a city's agencies on one hub. A petition bureau's exports go to the offices, and a
round of inspection goes from the letters before it to the evaluation of what was put right.

`make cluster` plays the same on a hub of several processes, over Kafka: agencies publish at one
door and read at another, and systems of their own publish by their topics. With ONCE=1 the last
line printed is JSON and the demo ends; else the hub and the agencies' adapters stay at work.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from adapters.kit.client import HubClient
from deploy.demo import exports, playing, story
from deploy.demo.desk import desks
from deploy.demo.failed import DemoFailed
from deploy.demo.hub import Hub, started, started_as_cluster
from deploy.demo.own import OwnSystem, at_the_door
from deploy.demo.playing import Agencies, Done
from deploy.demo.readers import Readers
from deploy.demo.steps import machines, phases
from deploy.local.cluster import ClusterFailed
from deploy.local.kafka import KafkaFailed
from deploy.local.postgres import PostgresFailed

CITY: Final = "510100.inspection-office"
PETITION: Final = "510100.petition"
# Each subscribes to all that is its own region's; one asks for another's, and one wants of the
# petitions only what the office handed on.
ASKED: Final[Mapping[str, Mapping[str, Any]]] = {
    story.OTHER_CITY: {"region": "510100"},
    "510100.political-legal": {"filters": [{"exact": {"source": "/510100.inspection-office/xfj"}}]},
}


def main(arguments: list[str]) -> int:
    """Play the demo; exit status 0 when everything went as it should."""
    parser = ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    forms = parser.add_subparsers(dest="form")
    several = forms.add_parser("cluster", help="a hub of several processes, on PostgreSQL")
    several.add_argument("--brokers", type=int, choices=(0, 1, 3), default=3, help="of Kafka")
    asked = parser.parse_args(arguments)
    place = Path(".demo" if asked.form is None else ".cluster")
    # Also into a pipe or a file, each line when it is said.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # An orderly end for both ways in which a terminal or a service ends a program.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "exports"
    folder.mkdir(parents=True)
    files = exports.write_exports(folder)
    start = started if asked.form is None else partial(started_as_cluster, brokers=asked.brokers)
    try:
        with start(place / "hub") as hub, play(hub, files, place):
            if os.environ.get("ONCE") == "1":  # noqa: TID251 (how make passes it on)
                return 0
            print(
                f"\n贯通仍在运行：{hub.publishing}；各机构的台账和投放文件夹在 {place}/"
                "（Ctrl-C 结束） / still serving, Ctrl-C ends it"
            )
            hub.wait()
    except KeyboardInterrupt:
        return 0
    except (PostgresFailed, KafkaFailed, ClusterFailed, DemoFailed) as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


@contextmanager
def play(hub: Hub, files: list[Path], place: Path) -> Iterator[None]:
    """The whole story, and the line of figures at its end; the desks stay at work in the block."""
    hub.apply(story.POLICY)
    tokens = {agency: hub.token(agency) for agency in story.names()}
    with ExitStack() as stack:
        clients = {
            agency: stack.enter_context(HubClient(hub.reading, token))
            for agency, token in tokens.items()
        }
        for agency, client in clients.items():
            client.subscribe({"id": "demo", "start": "earliest", **ASKED.get(agency, {})})
        at_work = stack.enter_context(desks(machines(), place, hub.publishing, tokens))
        with Readers(clients) as readers:
            first = send_exports(hub, tokens[PETITION], files, place, readers)
            played = play_round(Agencies(at_work, own_systems(hub, clients), readers))
            story.heading("再次运行信访局的适配器：没有新事件 / the adapter again: nothing new")
            again = run_adapter(hub.publishing, tokens[PETITION], files, place)
            story.show_runs(again)
            story.same_receipts(first, again)
        story.heading("各机构收到了什么 / what each recipient got")
        story.show_recipients(readers, hub.denied())
        if told := [*playing.amiss(played, readers)]:
            raise DemoFailed("\n".join(told))
        story.show_others(readers)
        story.show_summary(readers, hub.reading, hub.admin_token)
        print(json.dumps(figures(first, again, readers, played), ensure_ascii=False))
        yield


def send_exports(
    hub: Hub, token: str, files: list[Path], place: Path, readers: Readers
) -> list[dict[str, Any]]:
    """The petition bureau's three exports, until the city's office has read all of them."""
    story.heading("信访局的适配器读取三份导出文件 / the petition adapter reads three exports")
    runs = run_adapter(hub.publishing, token, files, place)
    story.show_runs(runs)
    story.show_faults(runs)
    # Over Kafka an event is accepted first, and registered after that.
    given = {*receipts(runs)}
    readers.wait_for(CITY, lambda event: event["hubreceipt"] in given, len(given))
    return runs


def own_systems(hub: Hub, clients: Mapping[str, HubClient]) -> Mapping[str, OwnSystem]:
    """Of those who have one: over Kafka where there is one, else at the door."""
    owners = {step.who for phase in phases() for step in phase.step if step.own}
    return {agency: _own_system(hub, agency, clients[agency]) for agency in sorted(owners)}


def _own_system(hub: Hub, agency: str, client: HubClient) -> OwnSystem:
    if topic := hub.topic_of(agency):
        return OwnSystem(agency, f"Kafka 主题 {topic.name}", topic.publish)
    return OwnSystem(agency, "接口 POST /v1/events", partial(at_the_door, client))


def play_round(agencies: Agencies) -> list[Done]:
    """The round, phase after phase, each with its table. Raises DemoFailed."""
    played: list[Done] = []
    for phase in phases():
        story.heading(phase.title)
        done = agencies.play(phase.step, played)
        story.show_steps(done, agencies.systems)
        played += done
    return played


def run_adapter(url: str, token: str, files: list[Path], place: Path) -> list[dict[str, Any]]:
    """Run the adapter as a process of its own, under the bureau's own token; a summary per file."""
    guantong = [sys.executable, "-m", "hub", "adapter", "run", "petition", *map(str, files)]
    options = ["--as", PETITION, "--state", str(place / "state"), "--json"]
    done = subprocess.run(
        [*guantong, *options],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "GUANTONG_URL": url, "GUANTONG_TOKEN": token},  # noqa: TID251
    )
    summaries: list[dict[str, Any]] = json.loads(done.stdout)
    return summaries


def receipts(runs: list[dict[str, Any]]) -> list[str]:
    """The receipts of all files, one for each event that was not refused."""
    return [receipt for run in runs for receipt in run["receipts"]]


def figures(
    first: list[dict[str, Any]],
    again: list[dict[str, Any]],
    readers: Readers,
    played: list[Done],
) -> dict[str, Any]:
    """What the demo counted; `withheld` is how many deliveries lacked fields. The exports are told
    by rows, the round by steps and events.

    A receipt is new once. Over Kafka the answer to an event that was sent twice at once may be
    `accepted` both times; it has one receipt, and is registered once.
    """
    given, later = receipts(first), receipts(again)
    new, newer = len({*given}), len({*later} - {*given})
    return {
        "read": sum(run["read"] for run in first),
        "accepted": new,
        "duplicate": len(given) - new,
        "rejected": sum(run["rejected"] for run in first),
        "delivered": {agency: len(got) for agency, got in sorted(readers.got.items())},
        "withheld": sum("hubwithheld" in e for got in readers.got.values() for e in got),
        "again": {"accepted": newer, "duplicate": len(later) - newer},
        "round": {"steps": len(played), "events": sum(done.step.count for done in played)},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
