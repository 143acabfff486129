"""How long each contract's events are kept on this node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from contracts.catalogue import Catalogue
from contracts.contract import Contract

DAY: Final = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """Days by (type, version). An event whose contract is not among them is kept."""

    days: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, catalogue: Catalogue, given: Mapping[str, int]) -> Self:
        """As the contracts say, or as is given for a type, a family (`clue.*`) or everything (`*`).

        The narrowest holds. Raises ValueError for a pattern that names no type.
        """
        for pattern in given:
            if not catalogue.types(pattern):
                raise ValueError(
                    f"GUANTONG_RETENTION: 没有这样的事件类型 / no such type: {pattern}"
                )
        return cls({(c.type, c.version): _days(c, given) for c in catalogue})

    @property
    def longest(self) -> int:
        """The days after which, at the latest, events are purged."""
        return max(self.days.values())


def _days(contract: Contract, given: Mapping[str, int]) -> int:
    patterns = (contract.type, f"{contract.family}.*", "*")
    return next((given[p] for p in patterns if p in given), contract.retention_days)
