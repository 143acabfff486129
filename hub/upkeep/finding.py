"""What the doctor finds: one sentence what is, one what to do, in Chinese and in English."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["ok", "warning", "failure"]
_ORDER: Final[tuple[Level, ...]] = ("ok", "warning", "failure")


@dataclass(frozen=True, slots=True)
class Finding:
    """One judgement. `check` is its stable name; there is no advice where all is well."""

    check: str
    level: Level
    says: str
    says_en: str
    advice: str = ""
    advice_en: str = ""


def ok(check: str, says: str, says_en: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", says, says_en)


def warning(check: str, says: str, says_en: str, advice: str, advice_en: str) -> Finding:
    """It works, but somebody should see to it: unfit for production, or soon a failure."""
    return Finding(check, "warning", says, says_en, advice, advice_en)


def failure(check: str, says: str, says_en: str, advice: str, advice_en: str) -> Finding:
    """A promise of the hub is broken, or will be as things stand."""
    return Finding(check, "failure", says, says_en, advice, advice_en)


def worst(findings: Iterable[Finding]) -> Level:
    """The level of the whole."""
    return max((finding.level for finding in findings), key=_ORDER.index, default="ok")
