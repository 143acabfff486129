"""Checking an adapter against its samples, offline: what goes in, what must come out."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final

from adapters.kit.adapter import Adapter, folder_of, load
from adapters.kit.dry import rehearsed
from adapters.kit.port import CannotRun, RowFault
from contracts.agency import KINDS
from contracts.catalogue import load_catalogue
from contracts.owncodes import SHIPPED, Codes

SAMPLE_REGION: Final = "510100"


@dataclass(frozen=True, slots=True)
class Difference:
    """A sample that does not come out as written: its folder's name, and a unified diff."""

    case: str
    lines: tuple[str, ...]


def check(name: str | Path, codes: Codes = SHIPPED) -> tuple[Difference, ...]:
    """Run every sample of an adapter; what differs. Raises CannotRun."""
    compared = (_compare(name, case, codes) for case in samples(name))
    return tuple(difference for difference in compared if difference)


def samples(name: str | Path) -> Iterator[Path]:
    """The folders of an adapter's samples: `in.<form>`, `out.json`, for some a `site.toml`.

    Raises CannotRun when there are none.
    """
    load(name)
    found = sorted(path.parent for path in (folder_of(name) / "samples").glob("*/in.*"))
    if not found:
        raise CannotRun(f"{name} 没有样例：每个放在 samples/<情形>/in.<格式>")
    return iter(dict.fromkeys(found))


def outcome(name: str | Path, case: Path, codes: Codes = SHIPPED) -> dict[str, Any]:
    """The events and faults that a sample's input gives, as `out.json` holds them."""
    site = case / "site.toml"
    adapter = load(name, site if site.exists() else None, codes)
    tried = list(rehearsed(adapter, _input(case), sample_agency(adapter)))
    events = [json.loads(foreseen.event) for each in tried for foreseen in each.events]
    faults = sorted({fault for each in tried for fault in each.faults}, key=_where)
    return {"events": events, "faults": [asdict(fault) for fault in faults]}


def sample_agency(adapter: Adapter) -> str:
    """As whom samples are sent: the kind that the adapter's folder, or the one it stands in, is
    named after or begins like; or its first contract's family; else the first that may send it."""
    first = next(iter(adapter.contracts.values()))
    senders = sorted(load_catalogue().senders(first))
    named = (adapter.folder.resolve().name, adapter.folder.resolve().parent.name)
    alike = (kind for kind in senders if kind.startswith(tuple(f"{name}-" for name in named)))
    kind = next(kind for kind in (*named, *alike, first.family, *senders) if kind in KINDS)
    return f"{SAMPLE_REGION}.{kind}"


def written(result: dict[str, Any]) -> str:
    """An outcome as it stands in `out.json`; the order of members counts."""
    return json.dumps(result, ensure_ascii=False, indent=2) + "\n"


def _input(case: Path) -> Path:
    found = sorted(case.glob("in.*"))
    if len(found) != 1:
        raise CannotRun(f"样例 {case.name} 须有一个 in.<格式> 文件，如 in.csv")
    return found[0]


def _where(fault: RowFault) -> tuple[str, int, str, str, str]:
    return fault.sheet, fault.row, fault.column, fault.kind, fault.reason


def _compare(name: str | Path, case: Path, codes: Codes) -> Difference | None:
    kept = case / "out.json"
    expected = kept.read_text(encoding="utf-8") if kept.exists() else ""
    got = written(outcome(name, case, codes))
    lines = unified_diff(expected.splitlines(), got.splitlines(), "out.json", "现在", lineterm="")
    return Difference(case.name, tuple(lines)) if got != expected else None
