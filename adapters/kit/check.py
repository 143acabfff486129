"""Checking an adapter against its samples, offline: what goes in, what must come out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from adapters.kit.adapter import available, load
from adapters.kit.checkpoint import open_checkpoint
from adapters.kit.results import Result
from adapters.kit.runner import run
from contracts.owncodes import SHIPPED, Codes

SAMPLE_AGENCY: Final = "510100.petition"


@dataclass(frozen=True, slots=True)
class Difference:
    """A sample that does not come out as written: its folder's name, and a unified diff."""

    case: str
    lines: tuple[str, ...]


class _Collector:
    """A publisher that takes every event and keeps it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, events: Sequence[bytes]) -> list[Result]:
        made = [json.loads(event) for event in events]
        self.events.extend(made)
        return [Result(e["source"], e["id"], "accepted", None, ()) for e in made]


def check(name: str, codes: Codes = SHIPPED) -> tuple[Difference, ...]:
    """Run every sample of an adapter; what differs. Raises UnknownAdapter, MappingError."""
    compared = (_compare(name, case, codes) for case in samples(name))
    return tuple(difference for difference in compared if difference)


def samples(name: str) -> Iterator[Path]:
    """The folders of an adapter's samples: `in.csv`, `out.json`, for some a `site.toml`."""
    load(name)
    return iter(sorted((available()[name] / "samples").iterdir()))


def outcome(name: str, case: Path, codes: Codes = SHIPPED) -> dict[str, Any]:
    """The events and faults that a sample's input gives, as `out.json` holds them."""
    site = case / "site.toml"
    adapter = load(name, site if site.exists() else None, codes)
    taken = _Collector()
    with TemporaryDirectory() as place, open_checkpoint(Path(place)) as state:
        summary = run(
            adapter,
            case / "in.csv",
            agency=SAMPLE_AGENCY,
            hub=taken,
            state=state,
            reports=Path(place),
        )
    return {"events": taken.events, "faults": [asdict(fault) for fault in summary.faults]}


def written(result: dict[str, Any]) -> str:
    """An outcome as it stands in `out.json`; the order of members counts."""
    return json.dumps(result, ensure_ascii=False, indent=2) + "\n"


def _compare(name: str, case: Path, codes: Codes) -> Difference | None:
    expected = (case / "out.json").read_text(encoding="utf-8")
    got = written(outcome(name, case, codes))
    lines = unified_diff(expected.splitlines(), got.splitlines(), "out.json", "现在", lineterm="")
    return Difference(case.name, tuple(lines)) if got != expected else None
