"""Which codes a command checks against: the shipped ones, and those that a hub imported."""

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from contracts.owncodes import CODES, SHIPPED, Codes, load_codes

TAKE_CODES: Final = (
    "枢纽导入过自己的代码或行政区划的，用 --codes 指明其数据目录下的 codes "
    "/ codes and regions that a hub imported are taken with --codes <data>/codes"
)
OwnCodes = Annotated[
    Path | None,
    Parameter(
        name="--codes",
        help="枢纽导入的代码，即其数据目录下的 codes / codes that a hub imported, <data>/codes",
    ),
]


def codes_of(data: Path | None) -> Codes:
    """The codes of a local hub as it would start with them, else those shipped."""
    return SHIPPED if data is None else load_codes(data / CODES)


def codes_in(directory: Path | None) -> Codes:
    """The shipped codes, and those of a directory. Raises ValueError where there is none."""
    if directory is None:
        return SHIPPED
    if not directory.is_dir():
        raise ValueError(f"{directory}：不是目录 / not a directory")
    return load_codes(directory)
