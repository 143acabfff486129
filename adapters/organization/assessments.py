"""Yearly assessments as forms write them: “2022、2023年度称职；2024年优秀”."""

import re
import unicodedata
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind

# Codes of the list assessment_grade, longer words first.
_GRADES: Final = {
    "基本称职": "3",
    "不称职": "4",
    "称职": "2",
    "基本合格": "3B",
    "不合格": "4B",
    "合格": "2B",
    "优秀": "1",
    "不定等次": "5",
    "未定等次": "5",
    "不进行考核": "6",
    "不参加考核": "6",
    "未参加考核": "6",
}
_SAID: Final = re.compile(
    rf"((?:19|20)[0-9]{{2}})|({'|'.join(_GRADES)})|([-~—–至])|年度考核结果|年度考核|考核结果"
    r"|考核等次|[年度考核评定结果等次均连续以来为是的和及被个两三四五六]|[、,;。.:\s]"
)
_MOST_YEARS: Final = 20
_UNCLEAR: Final = Wrong(
    FaultKind.SYNTAX,
    "不能逐年读出年度和结果",
    "请写成“2023、2024年度称职；2025年度优秀”，其他内容写入奖惩情况",
)


def assessments(text: str) -> list[dict[str, Any]] | Wrong:
    """Year and grade of each; years before a grade share it. What else stands there is refused,
    for it would be lost."""
    written = re.sub(r"<br\s{0,4}/?>", "\n", unicodedata.normalize("NFKC", text))
    found: list[dict[str, Any]] = []
    years: list[int] = []
    at, spans = 0, False
    for said in _SAID.finditer(written):
        if said.start() > at:
            return _UNCLEAR
        at = said.end()
        if said[1]:
            year = int(said[1])
            if spans and years and years[-1] < year <= years[-1] + _MOST_YEARS:
                years += range(years[-1] + 1, year)
            elif spans:
                return _UNCLEAR
            years.append(year)
            spans = False
        elif said[2]:
            if spans or not years:
                return _UNCLEAR
            grade = {"code": _GRADES[said[2]], "label": said[2]}
            found += [{"year": f"{year}", "grade": grade} for year in years]
            years = []
        elif said[3]:
            spans = True
    return found if at == len(written) and not years and not spans else _UNCLEAR
