"""A process that brings files from a drop folder and is killed: at its first step, its second, …

`python -m tests.adapters.sources.killing FOLDER` makes a folder in FOLDER for each step at which a
child was killed, with the drop folder and the journal of what was kept. After its death another
child goes on from the journal to the end.
"""

import os
import signal
import sys
import zipfile
from itertools import count
from pathlib import Path

from adapters.kit.port import Outcome
from adapters.kit.sources.folder import FolderSettings

# One with a picture that goes with it.
FILES = {"a.csv": "content-a", "a.jpg": "picture-a", "b.csv": "content-b"}


def work(folder: Path) -> None:
    """What the kit does: keep what is brought and its position in one step, then finish it."""
    journal = folder / "journal"
    (folder / "answer.csv").write_text("answer")
    with FolderSettings(path=folder / "drop", quiet=0, beside=("*.jpg",)).opened(folder) as source:
        while True:
            said = journal.read_text().splitlines() if journal.exists() else []
            kept = [line.split(" ")[1:] for line in said if line.startswith("kept")]
            finished = [line for line in said if line == "finished"]
            for _, _, name in kept[len(finished) :]:
                source.finished(name, outcome(name, folder / "answer.csv"))
                write(journal, "finished")
            raw = folder / "raw"
            raw.unlink(missing_ok=True)
            brought = source.bring(kept[-1][0] if kept else "", raw)
            if brought is None:
                return
            write(journal, f"kept {brought.position} {content_of(raw)} {brought.name}")


def content_of(raw: Path) -> str:
    """What a document says, or all members of a zip."""
    if not zipfile.is_zipfile(raw):
        return raw.read_text()
    with zipfile.ZipFile(raw) as archive:
        return "+".join(archive.read(each).decode() for each in archive.namelist())


def outcome(name: str, answer: Path) -> Outcome:
    wrong = name == "b.csv"
    return Outcome(1, not wrong, 0, wrong, complete=True, answers=(answer,) if wrong else ())


def write(journal: Path, line: str) -> None:
    """A line in one step: it is there or it is not."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def child(folder: Path, killed_at: int | None) -> int:
    """How a child ends that works in a folder: killed at a step if it comes so far."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    steps = count(1)
    touched = (str(folder / "drop"), str(folder / "raw"))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        named = str(arguments[0]) if event.startswith(("open", "os.")) and arguments else ""
        if named.startswith(touched) and next(steps) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        work(folder)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def main(folder: Path) -> int:
    """Kill at every step there is; whether all the others came to their end."""
    for step in count(1):
        run = folder / f"{step:04d}"
        (run / "drop").mkdir(parents=True)
        for name, content in FILES.items():
            (run / "drop" / name).write_text(content)
        ended = child(run, step)
        if ended == 0:
            return 0
        if ended != -signal.SIGKILL or child(run, None) != 0:
            return 1
    raise AssertionError


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
