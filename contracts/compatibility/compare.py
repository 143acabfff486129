"""Whether one version of a schema reads what is valid under another: `compare`.

Never wrong in the dangerous direction: a direction holds only where that is proved; all else is
refused with a reason that says so (`unprovable`). Formats count as assertions. Numbers are taken as
they are written, in decimal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from contracts.compatibility.claims import Term
from contracts.compatibility.explanation import Explanation
from contracts.compatibility.marks import marks_of
from contracts.compatibility.metadata import metadata_reasons
from contracts.compatibility.nodes import DIALECT, CodeLists, Malformed, Node, Pair, told_apart
from contracts.compatibility.reasons import Breaks, Reason, malformed
from contracts.compatibility.refutation import Exhausted, Refutation

_NO_LISTS: Final[CodeLists] = MappingProxyType({})
_BOTH: Final[tuple[Breaks, Breaks]] = ("new_reads_old", "old_reads_new")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`new_reads_old`: every instance valid under the old schema is valid under the new one.

    `old_reads_new`: the converse. Each direction that does not hold has at least one reason.
    """

    new_reads_old: bool
    old_reads_new: bool
    reasons: tuple[Reason, ...]


def compare(
    old: Mapping[str, Any] | bool,
    new: Mapping[str, Any] | bool,
    *,
    old_lists: CodeLists = _NO_LISTS,
    new_lists: CodeLists = _NO_LISTS,
) -> Verdict:
    """Compare two JSON Schemas of draft 2020-12 as `json.loads` reads them.

    The lists give the members of code lists as each side knows them: name → `closed`, `codes`.
    Without them only the same list takes the place of a list.
    """
    return _verdict(_reasons(old, new, old_lists, new_lists))


def compare_contracts(
    old: Mapping[str, Any] | bool,
    new: Mapping[str, Any] | bool,
    *,
    old_lists: CodeLists = _NO_LISTS,
    new_lists: CodeLists = _NO_LISTS,
) -> Verdict:
    """Compare two released documents: the schemas, and what `x-guantong-contract` says of them."""
    return _verdict(
        (*_reasons(old, new, old_lists, new_lists), *metadata_reasons(old, new)),
    )


def _verdict(reasons: tuple[Reason, ...]) -> Verdict:
    broken = {reason.breaks for reason in reasons}
    return Verdict("new_reads_old" not in broken, "old_reads_new" not in broken, reasons)


def _reasons(old: Any, new: Any, old_lists: CodeLists, new_lists: CodeLists) -> tuple[Reason, ...]:
    try:
        if told_apart(old) == told_apart(new) and _alike(old_lists, new_lists):
            return ()
        pair = Pair(old, new, old_lists, new_lists)
        before, after = pair.old.root, pair.new.root
        for node in (before, after):
            _in_dialect(node)
        refutation = Refutation()
        return (
            *_direction("new_reads_old", before, after, refutation),
            *_direction("old_reads_new", after, before, refutation),
            *marks_of(before, after),
        )
    except Malformed as bad:
        return tuple(malformed(breaks, bad.pointer) for breaks in _BOTH)


def _direction(
    breaks: Breaks, writer: Node, reader: Node, refutation: Refutation
) -> tuple[Reason, ...]:
    refutation.afresh()
    try:
        if refutation.apart(frozenset({Term(writer, True), Term(reader, False)})):
            return ()
    except (Exhausted, RecursionError):
        # Not proved within what a proof may cost: the same as refuted.
        pass
    return Explanation(refutation, breaks).of(writer, reader)


def _in_dialect(root: Node) -> None:
    """Raises Malformed where a document says that it is of another draft."""
    if not isinstance(root.schema, bool) and root.schema.get("$schema", DIALECT) not in (
        DIALECT,
        f"{DIALECT}#",
    ):
        raise Malformed("/$schema")


def _alike(old_lists: CodeLists, new_lists: CodeLists) -> bool:
    return all(
        dict(old_lists.get(name, {})) == dict(new_lists.get(name, {}))
        for name in old_lists.keys() | new_lists.keys()
    )
