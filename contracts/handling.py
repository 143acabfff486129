"""How a matter that one agency told another came out: what the replies of several families share.

Such a reply has `result` of the code list `handling_result`, `transferred_to` and `note`.
"""

from typing import Final

from contracts.rules import Rule, needs

TRANSFERRED: Final = "transferred"
NO_PROBLEM: Final = ("explained", "unfounded")

OUTCOME_RULES: Final[tuple[Rule, ...]] = (
    needs(
        "transferred_to",
        lambda it: it.result.code == TRANSFERRED,
        "已移交的须填接收机关",
        "what is transferred says to whom",
        "transferred_to_missing",
    ),
    needs(
        "note",
        lambda it: it.result.code in NO_PROBLEM,
        "不构成问题或不属实的须说明核实情况",
        "what is no problem says what was verified",
        "note_missing",
    ),
)
