"""An adapter: a folder below `adapters` with a field map and a translation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

import adapters
from adapters.kit.mapping import Mapping as FieldMap
from adapters.kit.mapping import Row
from adapters.kit.port import CannotRun, RowFault, Translated
from adapters.kit.site import load_mapping
from contracts.catalogue import load_catalogue
from contracts.contract import Contract
from contracts.owncodes import SHIPPED, Codes

MAPPING: Final = "mapping.toml"
TRANSLATE: Final = "translate.py"

Contracts = Mapping[str, Contract]
Translate = Callable[[Row, Contracts], "tuple[Translated | RowFault, ...]"]


class UnknownAdapter(CannotRun):
    """There is no adapter of that name."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one agency's records become events. `translate` is pure: what a field map cannot say.

    It answers everything that a row gives: events in order, and what is wrong with the row.
    `contracts`: type → contract, in the versions that the field map names. `codes`: those of the
    hub that the events go to, as far as they are known here.
    """

    name: str
    folder: Path
    mapping: FieldMap
    contracts: Contracts
    translate: Translate
    codes: Codes


def available() -> Mapping[str, Path]:
    """The adapters there are: name → folder, sorted by name.

    A folder below an agency's is named with a dot: `discipline.clues`.
    """
    found: dict[str, Path] = {}
    for root in map(Path, adapters.__path__):
        for mapping in (*root.glob(f"*/{MAPPING}"), *root.glob(f"*/*/{MAPPING}")):
            folder = mapping.parent
            if (folder / TRANSLATE).is_file():
                found[".".join(folder.relative_to(root).parts)] = folder
    return MappingProxyType(dict(sorted(found.items())))


def load(name: str, site: Path | None = None, codes: Codes = SHIPPED) -> Adapter:
    """An adapter, with a site's file laid over its field map.

    Raises UnknownAdapter, MappingError, or OSError for a site's file that cannot be read.
    """
    folders = available()
    if name not in folders:
        close = get_close_matches(name, folders, n=1)
        hint = f"（是否指 {close[0]}？）" if close else ""
        raise UnknownAdapter(f"没有这个适配器{hint}，可用：{'、'.join(folders)}")
    mapping = load_mapping(folders[name] / MAPPING, site)
    contracts = {}
    for type_, version in mapping.contracts.items():
        contract = load_catalogue().find(type_, version)
        if contract is None:
            raise UnknownAdapter(f"{name}: no contract {type_} {version}")
        contracts[type_] = contract
    translate: Translate = import_module(f"adapters.{name}.translate").translate
    return Adapter(
        name=name,
        folder=folders[name],
        mapping=mapping,
        contracts=MappingProxyType(contracts),
        translate=translate,
        codes=codes,
    )
