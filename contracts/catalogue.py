"""The catalogue of contracts: type and version → contract. The only way others find one."""

import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final

import contracts
from contracts.contract import Contract
from contracts.conversion import Conversion, Route, route
from contracts.declare import declared_in

# The entry points by which packages that are installed beside this one declare contracts.
OWN: Final = "guantong.contracts"
# What a declaration that is wrong raises as it is loaded.
_UNUSABLE: Final = (
    ImportError,
    SyntaxError,
    NameError,
    AttributeError,
    TypeError,
    LookupError,
    ValueError,
)
_VERSIONS: Final = re.compile(r"v[1-9][0-9]*(_[a-z]+)?")


class Catalogue:
    """All released contracts, by type and version and by `dataschema`.

    `retiring`: those that are to be retired, by `dataschema`. `about`: where those whose events are
    about another name it; what answers one of them names the same in the same place.
    """

    def __init__(
        self, released: Iterable[Contract], conversions: Iterable[Conversion] = ()
    ) -> None:
        self._conversions = tuple(conversions)
        self._routes: dict[tuple[str, str, str], Route] = {}
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
        # Nearly all events and pages ask for these, and there are few.
        self.retiring: Mapping[str, Contract] = MappingProxyType(
            {urn: c for urn, c in self._by_urn.items() if c.lifetime.deprecated is not None}
        )
        opened = {c.type: c.about for c in self if c.about is not None}
        self.about: Mapping[Contract, str] = MappingProxyType(
            {c: opened[type_] for c in self for type_ in (c.type, *c.answers) if type_ in opened}
        )

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

    def route(self, type_: str, source: str, target: str) -> Route:
        """How a type's payloads pass from one of its versions to another."""
        wanted = (type_, source, target)
        if wanted not in self._routes:
            self._routes[wanted] = route(self.versions(type_), self._conversions, source, target)
        return self._routes[wanted]

    def conversion(self, newer: Contract) -> Conversion | None:
        """How a version is reached from the last one of the major before it."""
        wanted = (newer.type, newer.version)
        return next((c for c in self._conversions if (c.type, c.newer) == wanted), None)

    def senders(self, contract: Contract) -> frozenset[str]:
        """The kinds that may publish under a contract: for a reply, whoever may get its opening."""
        found = set(contract.publishers)
        for opening in (c for type_ in contract.answers for c in self.versions(type_)):
            found |= opening.receivers.keys()
            # What answers an answer comes from whoever had asked.
            found |= {k for t in opening.answers for c in self.versions(t) for k in c.publishers}
        return frozenset(found) - contract.denied

    def replies_to(self, type_: str) -> tuple[str, ...]:
        """The types that answer the opening `type_`, sorted."""
        return tuple(sorted({c.type for c in self if type_ in c.answers}))


def type_matches(pattern: str, type_: str) -> bool:
    """Whether `pattern` (a type, `<family>.*` or `*`) names `type_`."""
    if pattern.endswith(".*"):
        return type_.startswith(pattern[:-1])
    return pattern in ("*", type_)


class OwnUnusable(ValueError):
    """A package of the installation's own does not load: correct it, or uninstall it."""

    def __init__(self, package: str, error: Exception) -> None:
        super().__init__(
            f"契约包 {package} 不能装入，请改正或卸载 / the package cannot be loaded: "
            f"{type(error).__name__}: {error}"
        )


@cache
def load_catalogue() -> Catalogue:
    """The contracts of every family folder, and of the packages that an installation has beside.

    Raises OwnUnusable, or ValueError where such a package says what is released already.
    """
    shipped = (f"contracts.{m.name}" for m in pkgutil.iter_modules(contracts.__path__) if m.ispkg)
    families = [_family(package) for package in shipped]
    for package in sorted({point.value for point in entry_points(group=OWN)}):
        try:
            families.append(_family(package))
        except _UNUSABLE as error:
            raise OwnUnusable(package, error) from error
    return Catalogue(
        [contract for family in families for contract in family.released],
        [conversion for family in families for conversion in family.conversions],
    )


@dataclass(frozen=True, slots=True)
class _Family:
    released: Sequence[Contract]
    conversions: Sequence[Conversion]


def _family(name: str) -> _Family:
    """What a package declares: `v<n>.py` and `v<n>_<part>.py` its contracts.

    `convert.py`, where there is one, lists its CONVERSIONS.
    """
    released: list[Contract] = []
    conversions: list[Conversion] = []
    for module in pkgutil.iter_modules(import_module(name).__path__):
        if _VERSIONS.fullmatch(module.name):
            released += declared_in(import_module(f"{name}.{module.name}"))
        elif module.name == "convert":
            conversions += import_module(f"{name}.convert").CONVERSIONS
    return _Family(released, conversions)


def _number(contract: Contract) -> tuple[int, int]:
    major, _, minor = contract.version.partition(".")
    return int(major), int(minor)
