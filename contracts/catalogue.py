"""The catalogue of contracts: type and version → contract. The only way others find one."""

import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module

import contracts
from contracts.contract import Contract
from contracts.declare import declared_in


class Catalogue:
    """All released contracts, by type and version and by `dataschema`."""

    def __init__(self, released: Iterable[Contract]) -> None:
        self._by_urn: dict[str, Contract] = {}
        self._by_name: dict[tuple[str, str], Contract] = {}
        self._by_type: dict[str, list[Contract]] = {}
        for contract in released:
            if contract.urn in self._by_urn:
                raise ValueError(f"released twice: {contract.urn}")
            self._by_urn[contract.urn] = contract
            self._by_name[contract.type, contract.version] = contract
            self._by_type.setdefault(contract.type, []).append(contract)
        for versions in self._by_type.values():
            versions.sort(key=_number)

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._by_urn.values())

    def by_dataschema(self, urn: str) -> Contract | None:
        """The contract that an event states, or None."""
        return self._by_urn.get(urn)

    def find(self, type_: str, version: str) -> Contract | None:
        """One version of a type, or None."""
        return self._by_name.get((type_, version))

    def versions(self, type_: str) -> tuple[Contract, ...]:
        """The versions of a type, oldest first; empty for an unknown type."""
        return tuple(self._by_type.get(type_, ()))

    def types(self, pattern: str = "*") -> tuple[str, ...]:
        """The types that a pattern names: a type, `<family>.*` or `*`; sorted."""
        return tuple(sorted(name for name in self._by_type if type_matches(pattern, name)))

    def replies_to(self, type_: str) -> tuple[str, ...]:
        """The types that answer the opening `type_`, sorted."""
        return tuple(sorted({c.type for c in self if type_ in c.answers}))


def type_matches(pattern: str, type_: str) -> bool:
    """Whether `pattern` (a type, `<family>.*` or `*`) names `type_`."""
    if pattern.endswith(".*"):
        return type_.startswith(pattern[:-1])
    return pattern in ("*", type_)


@cache
def load_catalogue() -> Catalogue:
    """The contracts of every family folder: each `<family>/v<n>.py` declares its own."""
    released: list[Contract] = []
    for family in pkgutil.iter_modules(contracts.__path__):
        if family.ispkg:
            released.extend(_released(family.name))
    return Catalogue(released)


def _released(family: str) -> Iterator[Contract]:
    package = import_module(f"contracts.{family}")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("v"):
            yield from declared_in(import_module(f"contracts.{family}.{module.name}"))


def _number(contract: Contract) -> tuple[int, int]:
    major, _, minor = contract.version.partition(".")
    return int(major), int(minor)
