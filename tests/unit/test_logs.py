"""Lines of the log are written in order, those of one turn of an event loop together."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from hub.logs import Lines, logger


class Written(io.StringIO):
    """A file that keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


def test_the_lines_of_one_turn_are_written_together_at_its_end() -> None:
    file = Written()
    lines = Lines(file)

    async def turns() -> list[str]:
        lines.info("one")
        lines.error("two")
        before, next_turn = [*file.writes], asyncio.Event()
        asyncio.get_running_loop().call_soon(next_turn.set)
        await next_turn.wait()
        lines.info("three")
        return before

    assert asyncio.run(turns()) == []
    assert file.writes == ["one\ntwo\n", "three\n"]


def test_a_line_without_a_loop_is_written_at_once() -> None:
    file = Written()
    Lines(file).warning("alone")
    assert file.writes == ["alone\n"]


def test_a_thread_writes_what_waits_before_its_own_line() -> None:
    file = Written()
    lines = Lines(file)

    async def turn() -> list[str]:
        lines.info("of the loop")
        thread = threading.Thread(target=lines.info, args=["of a thread"])
        thread.start()
        thread.join()
        return [*file.writes]

    assert asyncio.run(turn()) == ["of the loop\nof a thread\n"]
    assert file.writes == ["of the loop\nof a thread\n"]


def test_a_line_has_the_form_of_json_dumps(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"caller": '510100.petition "信访"', "codes": ["a", "b"], "receipts": [], "seconds": 0.5}
    logger().info("events.admitted", **said)
    line = capsys.readouterr().err
    told = json.loads(line)
    ending = {"event": "events.admitted", "level": "info", "timestamp": told["timestamp"]}
    assert line == json.dumps({**said, **ending}, ensure_ascii=False) + "\n"


def test_nobody_who_reads_lines_any_more_stops_who_writes_them() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", buffering=1) as file:
        lines = Lines(file)
        lines.info("read")
        assert os.read(reading, 100) == b"read\n"
        os.close(reading)
        lines.info("lost")

        async def on_a_loop() -> None:
            lines.info("lost too")

        asyncio.run(on_a_loop())
        # What it holds for nobody is not written when it is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())


def test_a_process_that_crashes_tells_where_and_nothing_that_it_held() -> None:
    program = """
import os, signal
from hub.logs import logger
def crash(text):
    os.kill(os.getpid(), signal.SIGSEGV)
logger()
crash("样例街道")
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == -signal.SIGSEGV
    told = ran.stderr.splitlines()
    assert told[0] == "Fatal Python error: Segmentation fault"
    assert [line for line in told if line.startswith("  File")] == [
        '  File "<string>", line 5 in crash',
        '  File "<string>", line 7 in <module>',
    ]
    assert "样例" not in ran.stderr
