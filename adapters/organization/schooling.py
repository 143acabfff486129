"""The education of an appointment form: level, degree and where, full-time and beside the job."""

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind
from adapters.kit.rows import Row

_DEGREES: Final = {"名誉博士": "1", "博士": "2", "硕士": "3", "学士": "4"}
_DEGREE: Final = re.compile("|".join(_DEGREES))
_SCHOOL: Final = re.compile("大学|学院|学校|党校|研究院|研究所|研究生院")
_NO_DEGREE: Final = Wrong(
    FaultKind.CODE, "不是学位", "请写成“工学学士”“法学硕士”这样，没有学位的留空"
)


def degree(written: str) -> dict[str, str] | Wrong:
    """A degree of a discipline by its level, named as the form names it."""
    found = _DEGREE.search(written)
    return {"code": _DEGREES[found[0]], "label": written} if found else _NO_DEGREE


def courses(row: Row, way: str) -> Iterator[dict[str, Any]]:
    """One way's courses of study. Fields: `<way>_level` with `_level_named`, `_degree`, `_school`
    and `_more`, the form's second line: the school of the degree, or else what was studied.
    """
    level = row.values.get(f"{way}_level")
    named = row.text(f"{way}_level_named")
    if isinstance(level, dict) and named:
        level = level | {"label": named}
    written = row.text(f"{way}_degree")
    got = degree(written) if written else None
    school, more = row.text(f"{way}_school"), row.text(f"{way}_more")
    apart = more is not None and more != school and _SCHOOL.search(more) is not None
    major = None if apart or more == school else more
    if apart and level and got:
        yield {"way": way, "level": level, "school": school}
        yield {"way": way, "degree": got, "school": more}
    elif level or got:
        yield {
            "way": way,
            "level": level,
            "degree": got,
            "school": (school or more) if apart else school,
            "major": major,
        }
