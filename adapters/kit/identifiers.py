"""What is wrong with a standard number, by what `contracts.identifiers` found of it."""

from typing import Final

CITIZEN_ID_FAULTS: Final = {
    "length": "不是 18 位",
    "characters": "含有数字和 X 以外的字符",
    "date": "中的出生日期无效",
    "check_digit": "校验位不符",
}

USCC_FAULTS: Final = {
    "length": "不是 18 位",
    "characters": "含有不用的字符（字母 I、O、S、V、Z 不用，第 3 至 8 位是数字）",
    "check_digit": "校验位不符",
    "organisation_check_digit": "中的组织机构代码校验位不符",
}
