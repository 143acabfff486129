"""Interleaved rounds: all contenders run in each, the ratio is the median of the rounds'."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from time import perf_counter


def rate(work: Callable[[], int]) -> float:
    """Items a second that one call of `work` handles; it returns how many."""
    started = perf_counter()
    items = work()
    return items / (perf_counter() - started)


def report(
    name: str, *, ours: list[float], reference: list[float], goal: float, **more: object
) -> bool:
    """Print one figure as a JSON line; whether it holds."""
    ratio = statistics.median(o / r for o, r in zip(ours, reference, strict=True))
    line: Mapping[str, object] = {
        "name": name,
        "ours": round(statistics.median(ours)),
        "reference": round(statistics.median(reference)),
        "ratio": round(ratio, 3),
        "goal": goal,
        "holds": ratio >= goal,
        **more,
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    return ratio >= goal
