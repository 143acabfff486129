"""`guantong adapter new`, `template` and `check`, as people type them."""

import re
import subprocess
import sys
from pathlib import Path

from adapters.kit.adapter import available
from tests.adapters.test_dry import export
from tests.commands import guantong
from tests.running import PATIENCE


def test_a_new_adapter_is_checked_and_tried_by_its_folder(tmp_path: Path) -> None:
    words = ("new", "letters", "--type", "briefing.provided", "--into", tmp_path)
    begun = guantong("adapter", *words)
    folder = tmp_path / "letters"
    assert begun.status == 0
    assert begun.said == f"已写好 {folder}，核对：guantong adapter check {folder}\n"
    assert guantong("adapter", "check", folder).said == "样例全部一致 / all samples agree\n"
    sample = folder / "samples" / "one" / "in.csv"
    tried = guantong("adapter", "check", sample, "--adapter", folder, "--json")
    assert tried.status == 0
    assert tried.document["adapter"] == "letters"
    assert tried.document["types"] == {"briefing.provided": 1}


def test_what_cannot_be_begun_ends_with_the_reason(tmp_path: Path) -> None:
    done = guantong("adapter", "new", "letters", "--type", "briefing.given", "--into", tmp_path)
    assert done.status == 1
    assert "没有契约 briefing.given" in done.complained


def test_a_file_finds_its_adapter_and_its_content_is_shown_only_when_asked(tmp_path: Path) -> None:
    path = export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"}, {"xfjbh": "XFJ2", "xfrs": "三人"})
    quiet = guantong("adapter", "check", path)
    assert quiet.status == 1
    assert quiet.said.startswith("适配器 petition：读取 2，退回 1，重复 0，已删除 0\n")
    for told in ("petition.case_transferred", "XFJ1-", "信访人数不是整数", "xfrs", "扬言标志"):
        assert told in quiet.said
    assert "公共收益" not in quiet.said
    assert "公共收益" in guantong("adapter", "check", path, "--show").said


def test_a_file_that_no_adapter_knows_is_told(tmp_path: Path) -> None:
    (tmp_path / "其他.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    done = guantong("adapter", "check", tmp_path / "其他.csv")
    assert done.status == 1
    assert "没有适配器认得这个文件" in done.complained


def test_a_file_that_several_adapters_read_alike_is_tried_with_the_one_that_is_named() -> None:
    path = available()["organization.briefings"] / "samples" / "provided" / "in.csv"
    unclear = guantong("adapter", "check", path)
    assert (unclear.status, unclear.said) == (1, "")
    assert "几个适配器同样认得这个文件，请用 --adapter 指明" in unclear.complained
    alike = "audit.briefings、discipline.briefings、organization.briefings"
    assert alike in "".join(unclear.complained.split())
    named = guantong("adapter", "check", path, "--adapter", "organization.briefings")
    assert (named.status, named.said.partition("：")[0]) == (0, "适配器 organization.briefings")


def test_a_template_is_written_once_and_read_by_the_adapter_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "办结.xlsx"
    made = guantong("adapter", "template", "clue.concluded", "--into", path)
    assert made.status == 0
    assert re.fullmatch(rf"已写好 {re.escape(str(path))}：\d+ 列，版本 [0-9a-f]{{8}}\n", made.said)
    again = guantong("adapter", "template", "clue.concluded", "--into", path)
    assert (again.status, "已经存在" in again.complained) == (1, True)
    misplaced = guantong("adapter", "check", path, "--adapter", "discipline.exchange")
    assert misplaced.status == 1
    assert "放错了文件夹：这是 discipline.clues 的填报模板" in misplaced.said


ASKED_WHILE_WAITING = """
import signal
from hub.cli.adapters import asked_to_stop
stop = asked_to_stop()
with stop._cond:
    signal.raise_signal(signal.SIGTERM)
stop.wait()
print("stopped")
"""


def test_a_signal_ends_the_adapters_also_while_they_begin_to_wait_for_it() -> None:
    command = [sys.executable, "-c", ASKED_WHILE_WAITING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "stopped\n"


def test_who_has_read_enough_of_a_list_hears_no_more() -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "hub", "contract", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    assert listing.stderr.read() == b""
    assert listing.wait() == 1
    listing.stderr.close()
