"""An adapter: a folder below `adapters` with a field map and a translation."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import walk_tb
from types import MappingProxyType
from typing import Final

import adapters
from adapters.kit.mapping import Mapping as FieldMap
from adapters.kit.port import CannotRun, FaultKind, RowFault, Translated
from adapters.kit.rows import Row, Rows
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
    What it raises is a fault of the row. `contracts`: type → contract, in the versions that the
    field map names. `codes`: those of the hub that the events go to, as far as they are known here.
    """

    name: str
    folder: Path
    mapping: FieldMap
    contracts: Contracts
    translate: Translate
    codes: Codes
    rows: Rows


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


def named(what: str, base: Path = Path()) -> str | Path:
    """What people write for an adapter: its name, or the path of its folder, seen from `base`."""
    folder = base / what
    return folder if (folder / MAPPING).is_file() else what


def folder_of(name: str | Path) -> Path:
    """An adapter's folder: of a name the one that is shipped, a path is one of the agency's own.

    Raises UnknownAdapter.
    """
    if isinstance(name, Path):
        if all((name / part).is_file() for part in (MAPPING, TRANSLATE)):
            return name
        raise UnknownAdapter(f"{name} 不是适配器：须有 {MAPPING} 和 {TRANSLATE}")
    folders = available()
    if name not in folders:
        close = get_close_matches(name, folders, n=1)
        hint = f"（是否指 {close[0]}？）" if close else ""
        raise UnknownAdapter(f"没有这个适配器{hint}，可用：{'、'.join(folders)}")
    return folders[name]


def load(name: str | Path, site: Path | None = None, codes: Codes = SHIPPED) -> Adapter:
    """An adapter by its name, or one in a folder of the agency's own, whose code is trusted; with
    a site's file laid over its field map.

    Raises UnknownAdapter, MappingError, CannotRun for a translation that does not load, or OSError
    for a site's file that cannot be read.
    """
    folder = folder_of(name)
    called = name if isinstance(name, str) else folder.resolve().name
    mapping = load_mapping(folder / MAPPING, site).model_copy(update={"adapter": called})
    contracts = {}
    for type_, version in mapping.contracts.items():
        contract = load_catalogue().find(type_, version)
        if contract is None:
            raise UnknownAdapter(f"{called}: no contract {type_} {version}")
        contracts[type_] = contract
    if isinstance(name, str):
        translate: Translate = import_module(f"adapters.{name}.translate").translate
    else:
        translate = _own(folder / TRANSLATE)
    return Adapter(
        name=called,
        folder=folder,
        mapping=mapping,
        contracts=MappingProxyType(contracts),
        translate=_guarded(translate),
        codes=codes,
        rows=Rows(mapping, codes),
    )


def _own(path: Path) -> Translate:
    """The translation in a file that no package holds."""
    where = sha256(str(path.resolve()).encode()).hexdigest()[:16]
    spec = spec_from_file_location(f"agency_adapter_{where}", path)
    if spec is None or spec.loader is None:
        raise CannotRun(f"{path} 不能作为 Python 模块装入")
    module = module_from_spec(spec)
    # A dataclass looks for its module there.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        translate: Translate = module.translate
    except (SyntaxError, ImportError, AttributeError, NameError) as error:
        raise CannotRun(f"{path} 不能装入：{error}") from error
    return translate


def _guarded(translate: Translate) -> Translate:
    """A translation that refuses the row at which it raises, or gives what is no event."""

    def guarded(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
        try:
            made = tuple(translate(row, contracts))
            if not all(isinstance(each, RowFault) or _is_event(each, contracts) for each in made):
                raise TypeError
        except Exception as error:
            return (_slip(row, error),)
        return made

    return guarded


def _is_event(made: object, contracts: Contracts) -> bool:
    return (
        isinstance(made, Translated)
        and made.attributes.get("type") in contracts
        and "time" in made.attributes
    )


def _slip(row: Row, error: Exception) -> RowFault:
    """Where the program went wrong; what the error says may repeat a cell."""
    frames = walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if Path(frame.f_code.co_filename).name == TRANSLATE]
    where = f"，{TRANSLATE} 第 {lines[-1]} 行" if lines else ""
    reason = f"转换程序出错（{type(error).__name__}{where}）"
    advice = "该行未发送，请把行号和原因告知适配器的开发者，改好程序后重新放入"
    return RowFault(row.place.row, "", FaultKind.PROGRAM, reason, advice, row.place.sheet)
