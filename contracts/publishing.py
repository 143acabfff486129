"""Released contracts as files: `published/<type>/<version>.json`, the view's schema beside each.

What was published once never changes: `index.json` holds the digests of all of it. Publishing adds
what is new; whatever differs from what stands is told, not written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from contracts.catalogue import Catalogue
from contracts.compatibility.compare import compare_contracts
from contracts.compatibility.reasons import Reason
from contracts.contract import Contract
from contracts.conversion import major_of
from contracts.viewschema import view_schema

FOLDER: Final = Path(__file__).parent / "published"
INDEX: Final = "index.json"
Documents = Mapping[str, bytes]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not what it was, or should be; `reasons` where two schemas were compared."""

    path: str
    message: str
    message_en: str
    reasons: tuple[Reason, ...] = ()


def released(contract: Contract) -> Json:
    """A contract's schema as it was published, which costs a tenth of asking its model.

    What is not published yet is asked for.
    """
    path = FOLDER / _path(contract)
    return json.loads(path.read_bytes()) if path.is_file() else contract.schema()


def documents(catalogue: Catalogue) -> dict[str, bytes]:
    """Every file of a published catalogue by its path below the folder, but for the index."""
    found: dict[str, bytes] = {}
    for contract in catalogue:
        found[_path(contract)] = _written(contract.schema())
        found[_path(contract, ".view")] = _written(view_schema(contract))
    return found


def publish(catalogue: Catalogue, folder: Path) -> tuple[list[str], list[Difference]]:
    """Write what is not published yet, unless something differs; the paths, or the differences."""
    wanted = documents(catalogue)
    differing = [*_against_standing(wanted, folder, missing=False), *_breaking(catalogue)]
    if differing:
        return [], differing
    added = [path for path in wanted if not (folder / path).is_file()]
    for path in added:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wanted[path])
    (folder / INDEX).write_bytes(_written(_index(wanted)))
    return added, []


def differences(catalogue: Catalogue, folder: Path) -> list[Difference]:
    """Everything in which code, published files and their index do not agree."""
    wanted = documents(catalogue)
    found = [*_against_standing(wanted, folder, missing=True), *_breaking(catalogue)]
    index = folder / INDEX
    if not index.is_file() or index.read_bytes() != _written(_index(wanted)):
        found.append(Difference(INDEX, "摘要目录与文件不符", "the index is not that of the files"))
    return found


def _against_standing(wanted: Documents, folder: Path, *, missing: bool) -> Iterator[Difference]:
    standing = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.json") if path.name != INDEX
    }
    for path in sorted(standing - wanted.keys()):
        yield Difference(path, "已发布的版本在代码中没有了", "published, but gone from the code")
    for path, document in wanted.items():
        if path not in standing:
            if missing:
                yield Difference(path, "尚未发布，请运行 publish", "not published yet: run publish")
        elif (folder / path).read_bytes() != document:
            verdict = compare_contracts(
                json.loads((folder / path).read_bytes()), json.loads(document)
            )
            yield Difference(
                path,
                "与已发布的版本不同：已发布的不得改动，请另立新版本",
                "differs from what was published: a release never changes, make a new version",
                verdict.reasons,
            )


def _breaking(catalogue: Catalogue) -> Iterator[Difference]:
    """Minor versions that refuse what the one before them took."""
    for type_ in catalogue.types():
        versions = catalogue.versions(type_)
        for older, newer in pairwise(versions):
            if major_of(older.version) == major_of(newer.version):
                verdict = compare_contracts(older.schema(), newer.schema())
                if not verdict.new_reads_old:
                    yield Difference(
                        _path(newer),
                        f"小版本须能接受 {older.version} 的全部内容；否则应为新的大版本",
                        f"a minor version takes all that {older.version} took: make it a major one",
                        tuple(r for r in verdict.reasons if r.breaks == "new_reads_old"),
                    )


def _path(contract: Contract, kind: str = "") -> str:
    return f"{contract.type}/{contract.version}{kind}.json"


def _index(wanted: Documents) -> dict[str, str]:
    """Path → SHA-256."""
    return {path: hashlib.sha256(document).hexdigest() for path, document in sorted(wanted.items())}


def _written(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
