"""`make demo`: a city's agencies on one hub, from a petition bureau's spreadsheets to the feeds.

`make cluster` plays the same on a hub of several processes, over Kafka: agencies publish at one
door and read at another, and one of them publishes by its own topic. With ONCE=1 the last line
printed is JSON and the demo ends; else the hub keeps serving.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from adapters.kit.client import HubClient
from deploy.demo import exports, story
from deploy.demo.desk import CLUES, PETITIONS, desk
from deploy.demo.hub import Hub, started, started_as_cluster
from deploy.demo.readers import Readers
from deploy.demo.story import CITY, COUNTY, DISCIPLINE, PETITION, PROVINCE
from deploy.local.cluster import ClusterFailed
from deploy.local.kafka import KafkaFailed
from deploy.local.postgres import PostgresFailed

HERE: Final = Path(__file__).parent
RECIPIENTS: Final = (CITY, COUNTY, PROVINCE, DISCIPLINE, PETITION)


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
        with start(place / "hub") as hub:
            play(hub, files, place)
            if os.environ.get("ONCE") == "1":  # noqa: TID251 (how make passes it on)
                return 0
            print(
                f"\n贯通仍在运行：{hub.publishing}（Ctrl-C 结束） / still serving, Ctrl-C ends it"
            )
            hub.wait()
    except KeyboardInterrupt:
        return 0
    except (PostgresFailed, KafkaFailed, ClusterFailed) as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


def play(hub: Hub, files: list[Path], place: Path) -> None:
    """The whole story, and the line of figures at its end."""
    hub.apply(HERE / "policy.toml")
    tokens = {agency: hub.token(agency) for agency in RECIPIENTS}
    clients = {agency: HubClient(hub.reading, token) for agency, token in tokens.items()}
    for client in clients.values():
        client.subscribe({"id": "demo", "start": "earliest"})
    with Readers(clients) as readers:
        story.heading("信访局的适配器读取三份导出文件 / the petition adapter reads three exports")
        first = run_adapter(hub.publishing, tokens[PETITION], files, place)
        story.show_runs(first)
        story.show_faults(first)
        # Over Kafka an event is accepted first, and registered after that.
        readers.wait_for(CITY, receipts(first))
        story.heading("市委巡察办移交线索，纪委监委签收 / a clue is handed over and signed for")
        with signing(hub, place, tokens[DISCIPLINE]) as sign:
            story.hand_over_clue(clients[CITY], sign, readers)
        story.heading(
            "市委巡察办交办信访事项，信访局受理 / a petition case is assigned and accepted"
        )
        with desk(PETITIONS, place / "petition", hub.publishing, tokens[PETITION]) as bureau:
            story.assign_case(clients[CITY], bureau.answer, readers)
        story.heading("再次运行适配器：没有新事件 / the adapter again: nothing new")
        again = run_adapter(hub.publishing, tokens[PETITION], files, place)
        story.show_runs(again)
        story.same_receipts(first, again)
    story.heading("各机构收到了什么 / what each recipient got")
    story.show_recipients(readers, hub.denied())
    story.show_summary(readers, hub.reading, hub.admin_token)
    print(json.dumps(figures(first, again, readers), ensure_ascii=False))
    for client in clients.values():
        client.close()


@contextmanager
def signing(hub: Hub, place: Path, token: str) -> Iterator[story.Signing]:
    """How discipline signs: in the ledger of its adapter, or over Kafka by a client of Kafka's."""
    if topic := hub.topic_of(DISCIPLINE):
        yield partial(story.signed_by, topic)
        return
    with desk(CLUES, place / "discipline", hub.publishing, token) as at_work:
        yield at_work.answer


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
    first: list[dict[str, Any]], again: list[dict[str, Any]], readers: Readers
) -> dict[str, Any]:
    """What the demo counted; `withheld` is how many deliveries lacked fields.

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
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
