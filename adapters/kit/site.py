"""Loading a mapping, and laying a site's own file over it (the sections are told in `mapping`)."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.kit.forms.like import laid_over, parsed
from adapters.kit.mapping import Mapping, MappingError
from adapters.kit.sources.files import secret
from adapters.kit.wanted import canonical

_IN_FILE: Final = "_file"
_Model = TypeVar("_Model", bound=BaseModel)


class _SiteGroup(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    each: str = ""
    fields: dict[str, dict[str, Any]] = {}


class _Site(BaseModel):
    """What a site may change; the columns that no field may read are not among it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str] = {}
    fields: dict[str, dict[str, Any]] = {}
    groups: dict[str, _SiteGroup] = {}
    tables: dict[str, dict[str, Any]] = {}
    address: dict[str, str] = {}
    cells: dict[str, list[str]] = {}
    document: dict[str, Any] = {}
    deleted: dict[str, Any] = {}
    steps: dict[str, dict[str, Any]] = {}
    template: dict[str, Any] = {}


def load_mapping(path: Path, site: Path | None = None) -> Mapping:
    """The mapping of a file, with a site's file laid over it. A property `x_file` of the site's is
    `x` as that file says it, seen from the site's. Raises CannotRun, or OSError."""
    settings = _parsed(path)
    mapping = _checked(Mapping, settings, path)
    if site is None:
        return mapping
    own = _with_secrets(_checked(_Site, _parsed(site), site), site.parent)
    return _checked(Mapping, _overlaid(settings, own, site), site)


def _with_secrets(site: _Site, folder: Path) -> _Site:
    """What properties `x_file` of the document and of fields name is read, and stands as `x`."""

    def told(table: dict[str, Any]) -> dict[str, Any]:
        return {
            name.removesuffix(_IN_FILE): secret(folder / value)
            if name.endswith(_IN_FILE)
            else value
            for name, value in table.items()
        }

    fields = {name: told(rule) for name, rule in site.fields.items()}
    changed = {"fields": fields, "document": told(site.document)}
    return site.model_copy(update={k: v for k, v in changed.items() if k in site.model_fields_set})


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return parsed(path.read_text(encoding="utf-8-sig"), path.name)
    except ValueError as error:
        raise MappingError(f"{path.name}: {error}") from None


def _checked(model: type[_Model], settings: dict[str, Any], path: Path) -> _Model:
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise MappingError(f"{path.name}: {'; '.join(problems)}") from None


def _overlaid(base: dict[str, Any], site: _Site, path: Path) -> dict[str, Any]:
    _expect(site.fields, base["fields"], path, "field")
    _expect(site.groups, base.get("groups", {}), path, "group")
    _expect(site.tables, base.get("tables", {}), path, "table")
    for name, group in site.groups.items():
        _expect(group.fields, base["groups"][name]["fields"], path, "field")
    if "never" in site.cells:
        raise MappingError(f"{path.name}: cells.never belongs to the adapter, not to a site")
    changes = site.model_dump(exclude={"columns"}, exclude_unset=True)
    return laid_over(_renamed(base, site.columns, path), changes)


def _renamed(base: dict[str, Any], columns: dict[str, str], path: Path) -> dict[str, Any]:
    """The mapping with the site's names wherever it names a column.

    A column that no field may read is kept out under both names.
    """
    given = {canonical(column): name for column, name in columns.items()}
    seen: set[str] = set()

    def rename(column: str) -> str:
        seen.add(canonical(column))
        return given.get(canonical(column), column)

    def rename_in(properties: dict[str, Any]) -> dict[str, Any]:
        named = {k: rename(v) for k, v in properties.items() if k in ("column", "label_column")}
        others = {"also": [*map(rename, properties["also"])]} if "also" in properties else {}
        inner = {"when": rename_in(properties["when"])} if "when" in properties else {}
        return properties | named | others | inner

    def rename_all(rules: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {name: rename_in(rule) for name, rule in rules.items()}

    cells = base.get("cells", {})
    changed = {
        "fields": rename_all(base["fields"]),
        "groups": {
            name: group
            | ({"by": rename(group["by"])} if "by" in group else {})
            | {"fields": rename_all(group["fields"])}
            for name, group in base.get("groups", {}).items()
        },
        "cells": cells
        | {k: [*v, *map(rename, v)] for k, v in cells.items() if k in ("never", "ignored")},
    }
    deleted = {"deleted": rename_in(base["deleted"])} if "deleted" in base else {}
    _expect(given, seen, path, "column")
    return base | changed | deleted


def _expect(given: Iterable[str], known: Iterable[str], path: Path, what: str) -> None:
    names = sorted(known)
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise MappingError(f"{path.name}: no {what} {name!r}{hint}")
