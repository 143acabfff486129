"""What all ways of keeping a cadre's profile share: the number, the checks, and the event."""

import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from contracts.codelists import code_list
from contracts.contract import Contract

Contracts = Mapping[str, Contract]

_TYPE: Final = "cadre.profile_provided"
_MIDNIGHT: Final = "T00:00:00+08:00"
_SHORTEST_KEY: Final = 16
_KEY_DIGITS: Final = 24
_CITIZEN: Final = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}")
# Who somebody is where a form does not give the citizen number.
_LIKELY: Final = ("name", "gender", "birth", "birthplace", "work_began")
_NO_KEY: Final = Wrong(
    FaultKind.MISSING,
    f"没有设置（或不足 {_SHORTEST_KEY} 字），不能给干部编号",
    "请管理员在站点映射的 [fields.key] 写明 default_file，该文件内是本单位的密钥（见适配器说明）",
)
_CITIZEN_NUMBER: Final = Wrong(
    FaultKind.IDENTIFIER, "是身份证号", "请改用原系统中的人员编号；花名册没有编号的，可以留空"
)


def numbered(row: Row) -> str | Wrong:
    """The number of the cadre: the system's own, or else the person's key."""
    if own := row.text("personid"):
        return _CITIZEN_NUMBER if _CITIZEN.fullmatch(own) else own
    return person_key(row) or _NO_KEY


def person_key(row: Row) -> str | None:
    """What tells a person in this agency's files, and only who has its key can tell from the
    citizen number (or, without that, from name, birth and first work)."""
    key = row.text("key") or ""
    if len(key) < _SHORTEST_KEY:
        return None
    who = row.text("idno") or "\n".join(row.text(field) or "" for field in _LIKELY)
    return "gb-" + hmac.digest(key.encode(), who.encode(), "sha256").hex()[:_KEY_DIGITS]


def politically(code: str | None) -> dict[str, str] | None:
    """A code of the political status with its name."""
    return {"code": code, "label": code_list("political_status").labels[code]} if code else None


def relatives(row: Row, group: str) -> Iterator[dict[str, Any] | RowFault]:
    """The members of the family; parts of the form in which nothing stands are passed over."""
    for part in row.groups.get(group, ()):
        if not part.values:
            continue
        for field in ("relation", "name"):
            if field not in part.values:
                yield part.wrong(
                    field, Wrong(FaultKind.MISSING, "没有填写", "请补填，或删去这一行")
                )
        named, relation = part.text("relation_named"), part.values.get("relation")
        if named and isinstance(relation, dict):
            relation = relation | {"label": named}
        yield {
            "relation": relation,
            "name": part.text("name"),
            "birth": part.text("birth"),
            "political": part.values.get("political"),
            "org_post": part.text("org_post"),
        }


def event(row: Row, contracts: Contracts, number: str, payload: Mapping[str, Any]) -> Translated:
    """The profile as an event, without parts in which nothing stands. A photograph names the form
    that it lies in."""
    contract = contracts[_TYPE]
    told = {name: value for name, value in payload.items() if value not in ([], {}, None)}
    told["profileid"] = number
    told["person"] |= {"personkey": person_key(row)}
    if "photo_sm3" in told:
        told["source_file"] = {"title": str(row.values["source"]), "original": "electronic"}
    return Translated(
        native=number,
        attributes=contract_attributes(contract) | {"time": f"{told['filled_on']}{_MIDNIGHT}"},
        data=payload_bytes(contract, told),
    )
