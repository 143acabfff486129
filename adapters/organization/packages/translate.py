"""A person of a package (A01 with what other tables say of them) → the cadre's profile."""

from collections.abc import Iterator
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.placing import payload_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.organization.assessments import assessments
from adapters.organization.membership import political
from adapters.organization.profiles import Contracts, event, numbered, politically, relatives
from adapters.organization.resumes import prose, resume
from adapters.organization.schooling import degree
from contracts.codelists import code_list

_MADE: Final = frozenset(
    {"key", "local_root", "package_root", "personid", "source", "exported_on", "changed_on"}
    | {"rank", "political", "technical_post", "resume", "rewards", "assessments"}
)
_IN_OFFICE: Final = "1"
_NO_WAY: Final = Wrong(
    FaultKind.MISSING, "没有填写", "请填全日制教育（1）或在职教育（2）后重新导出"
)
_UNDATED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，数据包也没有导出时间",
    "请核对 gwyinfo.xml 中的时间，或在站点映射的 [columns] 写明它的名称",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a person, but for what the kit adds; a function of the package's rows alone."""
    number = numbered(row)
    joined = political(row.text("joined_party") or "")
    read = {
        "joined_party": joined,
        "personid": number,
        "resume": resume(row.text("resume") or ""),
        "assessments": _assessed(row),
        "changed_on": row.text("changed_on") or row.text("exported_on") or _UNDATED,
    }
    studied, family = list(_courses(row)), list(relatives(row, "family"))
    faults = [row.wrong(field, value) for field, value in read.items() if isinstance(value, Wrong)]
    faults += [each for each in (*studied, *family) if isinstance(each, RowFault)]
    if faults or isinstance(joined, Wrong) or isinstance(number, Wrong):
        return tuple(faults)
    payload = payload_of(row, _MADE)
    payload["person"] |= {
        "political": row.values.get("political") or politically(joined),
        "rank": _rank(row),
    } | _office(row)
    payload |= {
        "filled_on": read["changed_on"],
        "resume": read["resume"],
        "assessments": read["assessments"],
        "education": studied,
        "family": family,
        "rewards": prose(row.text("rewards") or _rewards(row)),
        "technical_post": row.text("technical_post") or _technical_posts(row),
    }
    return (event(row, contracts, number, payload),)


def _office(row: Row) -> dict[str, Any]:
    """The present post, and the organisation: of the posts in office the main one, or the first."""
    held = [each for each in row.groups["posts"] if each.text("state") in (_IN_OFFICE, None)]
    main = next((each for each in held if each.values.get("main") is True), None)
    at = main or next(iter(held), None)
    named = at.text("org") if at else None
    office: dict[str, Any] = {"post": row.text("post") or (at and at.text("post"))}
    if at and named:
        office["org"] = {"name": named, "orgid": _local(row, at.text("org_code"))}
    return office


def _local(row: Row, code: str | None) -> str | None:
    """A code of the package's as one of this place, or None: what does not lie below the package's
    own root nobody here knows (other readers write -1)."""
    root, local = row.text("package_root"), row.text("local_root")
    if not (code and root and local and code.startswith(root)):
        return None
    below = code.removeprefix(root)
    return f"{local}{below}" if not below or below[0] == "." else None


def _rank(row: Row) -> dict[str, str] | None:
    """A leading rank; ranks without a leading post are not in the list, and are not sent."""
    current = (each.text("rank") for each in row.groups["ranks"] if each.values.get("state"))
    ranks = code_list("cadre_rank").labels
    written = (row.text("rank"), *current)
    known = next((code for code in written if code in ranks), None)
    return {"code": known, "label": ranks[known]} if known else None


def _courses(row: Row) -> Iterator[dict[str, Any] | RowFault]:
    for part in row.groups["courses"]:
        if not part.values:
            continue
        named = part.text("degree")
        got = degree(named) if named else None
        if isinstance(got, Wrong):
            yield part.wrong("degree", got)
        if "way" not in part.values:
            yield part.wrong("way", _NO_WAY)
        level, label = part.values.get("level"), part.text("level_named")
        if isinstance(level, dict) and label:
            level = level | {"label": label}
        yield {
            "way": part.text("way"),
            "level": level,
            "degree": got,
            "school": part.text("school"),
            "major": part.text("major"),
            "graduated": part.text("graduated"),
        }


def _assessed(row: Row) -> list[dict[str, Any]] | Wrong:
    """The table's years; the text that forms are printed from counts where there are none."""
    listed = [
        {"year": part.text("year"), "grade": part.values.get("grade")}
        for part in row.groups["assessed"]
        if part.values
    ]
    return listed or assessments(row.text("assessments") or "")


def _rewards(row: Row) -> str:
    lines = (
        f"{each.text('on') or ''} {each.text('named') or ''}" for each in row.groups["rewarded"]
    )
    return "\n".join(lines)


def _technical_posts(row: Row) -> str | None:
    named = (each.text("named") for each in row.groups["technical_posts"])
    return "、".join(dict.fromkeys(filter(None, named))) or None
