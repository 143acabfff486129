"""One JSON file for each event, for systems that read a folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from adapters.kit.port import Sink
from adapters.kit.present import in_beijing
from adapters.kit.sinks.columns import Event, Strict, Types, takes
from adapters.kit.sinks.taken import FILE_NAME, Taken, folder_at, name_of, open_taken
from adapters.kit.sources.files import new_file


class FilesSettings(Strict):
    """`path`: the folder. `types`: which types of events, all unless said; `by_day`: a folder below
    for each day on which the hub registered them."""

    type: Literal["files"]
    path: Path
    types: Types = ("*",)
    by_day: bool = False

    @contextmanager
    def opened(self, base: Path, folder: Path) -> Iterator[Sink]:
        """Raises CannotRun for a path that is no folder, Away while another run writes there."""
        target = folder_at(base / self.path)
        with open_taken(target / FILE_NAME) as taken:
            yield FilesSink(target, taken, self.types, by_day=self.by_day)


class FilesSink:
    """Writes each event into a file named by its position and receipt, as the hub gave it.

    Whoever reads the folder may take files away; they do not come again. Each is whole when it
    appears under its name.
    """

    def __init__(self, folder: Path, taken: Taken, types: Types, *, by_day: bool) -> None:
        self._folder = folder
        self._taken = taken
        self._types = types
        self._by_day = by_day

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            if takes(self._types, event) and event not in self._taken:
                with new_file(folder_at(self._place(event)) / f"{name_of(event)}.json") as file:
                    file.write(json_of(event))
                self._taken.add(event)

    def _place(self, event: Event) -> Path:
        moment = in_beijing(str(event.get("hubtime"))) if self._by_day else None
        return self._folder / moment.date().isoformat() if moment else self._folder


def json_of(event: Event) -> bytes:
    """An event as JSON for people to read, too."""
    text = json.dumps(event, ensure_ascii=False, indent=2) + "\n"
    # Half a surrogate pair is no UTF-8; written so it is JSON still.
    return text.encode("utf-8", "backslashreplace")
