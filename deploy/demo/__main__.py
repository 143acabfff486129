"""`make demo`: a city's agencies on one hub, from a petition bureau's spreadsheets to the feeds.

`make cluster` plays the same on a hub of several processes: agencies publish at one door and read
at another. With ONCE=1 the last line printed is JSON and the demo ends; else the hub keeps serving.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from adapters.kit.client import HubClient
from deploy.demo import exports, story
from deploy.demo.hub import Hub, started, started_as_cluster
from deploy.demo.readers import Readers
from deploy.demo.story import CITY, COUNTY, DISCIPLINE, PETITION, PROVINCE

HERE: Final = Path(__file__).parent
RECIPIENTS: Final = (CITY, COUNTY, PROVINCE, DISCIPLINE, PETITION)


def main(arguments: list[str]) -> int:
    """Play the demo; exit status 0 when everything went as it should."""
    as_cluster = arguments == ["cluster"]
    place = Path(".cluster" if as_cluster else ".demo")
    # Also into a pipe or a file, each line when it is said.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "exports"
    folder.mkdir(parents=True)
    files = exports.write_exports(folder)
    start = started_as_cluster if as_cluster else started
    with start(place / "hub") as hub:
        play(hub, files, place)
        if os.environ.get("ONCE") == "1":  # noqa: TID251 (how make passes it on)
            return 0
        print(f"\n贯通仍在运行：{hub.publishing}（Ctrl-C 结束） / still serving, Ctrl-C ends it")
        hub.wait()
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
        story.heading("市委巡察办移交线索，纪委监委签收 / a clue is handed over and signed for")
        story.hand_over_clue(clients[CITY], clients[DISCIPLINE], readers)
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


def figures(
    first: list[dict[str, Any]], again: list[dict[str, Any]], readers: Readers
) -> dict[str, Any]:
    """What the demo counted; `withheld` is how many deliveries lacked fields."""
    counted = {
        name: sum(run[name] for run in first)
        for name in ("read", "accepted", "duplicate", "rejected")
    }
    return {
        **counted,
        "delivered": {agency: len(got) for agency, got in sorted(readers.got.items())},
        "withheld": sum("hubwithheld" in e for got in readers.got.values() for e in got),
        "again": {name: sum(run[name] for run in again) for name in ("accepted", "duplicate")},
    }


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
