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

Translate = Callable[[Row, Contract], "Translated | tuple[RowFault, ...]"]


class UnknownAdapter(CannotRun):
    """There is no adapter of that name."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one agency's records become events. `translate` is pure: what a field map cannot say.

    `codes`: those of the hub that the events go to, as far as they are known here.
    """

    name: str
    folder: Path
    mapping: FieldMap
    contract: Contract
    translate: Translate
    codes: Codes


def available() -> Mapping[str, Path]:
    """The adapters there are: name → folder, sorted by name."""
    folders = {
        folder.name: folder
        for root in map(Path, adapters.__path__)
        for folder in root.iterdir()
        if (folder / MAPPING).is_file() and (folder / TRANSLATE).is_file()
    }
    return MappingProxyType(dict(sorted(folders.items())))


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
    contract = load_catalogue().find(mapping.contract, mapping.version)
    if contract is None:
        raise UnknownAdapter(f"{name}: no contract {mapping.contract} {mapping.version}")
    translate: Translate = import_module(f"adapters.{name}.translate").translate
    return Adapter(
        name=name,
        folder=folders[name],
        mapping=mapping,
        contract=contract,
        translate=translate,
        codes=codes,
    )
