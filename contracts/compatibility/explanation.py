"""Names what keeps one version from reading the other: each break, as deep inside as it lies."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from contracts.compatibility.arrays import terms_at
from contracts.compatibility.claims import (
    KINDS,
    Kind,
    Matches,
    Members,
    Row,
    SomeItem,
    Term,
    termed,
)
from contracts.compatibility.keywords import Failure, Statement
from contracts.compatibility.nodes import Node
from contracts.compatibility.objects import Told
from contracts.compatibility.patterns import understood
from contracts.compatibility.reasons import WORDS, Breaks, Reason, declared, stricter, unprovable
from contracts.compatibility.refutation import Branch, Exhausted, Refutation

MOST_REASONS: Final = 100
MOST_SHOWN: Final = 40
# One schema inside another about the same value: what breaks is looked for in there.
_SAME_VALUE: Final = frozenset(("$ref", "allOf", "then", "else", "dependentSchemas"))
_ALTERNATIVES: Final = frozenset(("anyOf", "oneOf"))
_OTHERS: Final = frozenset(("additionalProperties", "unevaluatedProperties"))
_UNSURE: Final = frozenset(
    ("not", "then", "else", "$ref", "allOf", "contains", "maxContains", "propertyNames",
     "x-guantong-rules", "dependentSchemas")
)  # fmt: skip


class Explanation:
    """The reasons why `reader` does not take all that `writer` permits."""

    def __init__(self, refutation: Refutation, breaks: Breaks) -> None:
        self._refutation = refutation
        self._breaks = breaks
        self._seen: set[tuple[frozenset[Term], Node, Kind]] = set()
        self._found: dict[tuple[str, str], Reason] = {}

    def of(self, writer: Node, reader: Node) -> tuple[Reason, ...]:
        """Every reason found, at least one."""
        self._refutation.afresh()
        try:
            self._explain(frozenset({Term(writer, True)}), reader, KINDS)
        except (Exhausted, RecursionError):
            self._add(unprovable(self._breaks, "", reader.pointer))
        return tuple(self._found.values())

    def _add(self, reason: Reason) -> None:
        if len(self._found) < MOST_REASONS:
            self._found.setdefault((reason.code, reason.pointer), reason)

    def _explain(self, writer: frozenset[Term], reader: Node, kinds: Iterable[Kind]) -> None:
        """Name what keeps the reader from values of these kinds that satisfy the writer's terms."""
        for kind in kinds:
            if (writer, reader, kind) in self._seen:
                continue
            self._seen.add((writer, reader, kind))
            before = len(self._found)
            if self._refutation.open_branch(writer, kind, termed(Term(reader, False))) is None:
                continue
            for statement, failure, branch in self._failures(writer, reader, kind):
                self._name(writer, reader, kind, statement, failure, branch)
                if statement.keyword in ("type", "false"):
                    break
            if len(self._found) == before == 0:
                self._add(unprovable(self._breaks, "", reader.pointer))

    def _failures(
        self, writer: frozenset[Term], reader: Node, kind: Kind
    ) -> Iterator[tuple[Statement, Failure, Branch]]:
        """The ways in which the reader may fail, each with a case that nothing excludes."""
        said = self._refutation.statements(Term(reader, True), kind)
        for statement in sorted(said, key=lambda each: each.keyword != "type"):
            for failure in statement.failures:
                branch = self._refutation.open_branch(writer, kind, failure.formula)
                if branch is not None:
                    yield statement, failure, branch

    def _name(
        self,
        writer: frozenset[Term],
        reader: Node,
        kind: Kind,
        statement: Statement,
        failure: Failure,
        branch: Branch,
    ) -> None:
        keyword, pointer, inner = statement.keyword, reader.pointer + statement.place, failure.inner
        before = len(self._found)
        if keyword in _SAME_VALUE and inner is not None:
            also = {term for term in failure.formula.terms if term != Term(inner, False)}
            self._explain(writer | also, inner, (kind,))
        elif keyword in _ALTERNATIVES:
            self._union(writer, kind, failure)
        elif inner is not None and inner.schema is not False:
            for terms in self._inside(failure, branch, inner, reader):
                self._explain(terms, inner, KINDS)
        if len(self._found) == before:
            self._add(self._reason(keyword, pointer, reader, failure, branch))

    def _reason(
        self, keyword: str, pointer: str, reader: Node, failure: Failure, branch: Branch
    ) -> Reason:
        inner, name = failure.inner, failure.name
        if keyword == "properties" and name is not None and inner is not None:
            said = self._told(branch).terms_of(name) - {Term(inner, False)}
            if not said:
                return declared(self._breaks, pointer, name)
        if keyword in _OTHERS and inner is not None and inner.schema is False:
            strange = self._told(branch).known - set(reader.schema.get("properties", ()))
            return stricter(
                self._breaks, "member" if strange else "closed", pointer, _short(sorted(strange))
            )
        patterns = [claim.pattern for claim in branch.claims if isinstance(claim, Matches)]
        unread = keyword == "pattern" and not all(map(understood, patterns))
        if keyword not in WORDS or keyword in _UNSURE or unread:
            return unprovable(self._breaks, keyword, pointer)
        demanded = "" if isinstance(reader.schema, bool) else reader.schema.get(keyword, "")
        return stricter(self._breaks, keyword, pointer, _short([name] if name else demanded))

    def _told(self, branch: Branch) -> Told:
        return Told(frozenset(branch.claims), self._refutation)

    def _inside(
        self, failure: Failure, branch: Branch, inner: Node, reader: Node
    ) -> Iterator[frozenset[Term]]:
        """What the writer says of the members or items that may fail; nothing where it is open."""
        denied = Term(inner, False)
        if branch.kind == "array":
            rows = [claim for claim in branch.claims if isinstance(claim, Row)]
            at = [c.position for c in failure.formula.claims if isinstance(c, SomeItem)]
            found = [terms_at(position, rows) for position in at]
        elif failure.name is not None:
            found = [self._told(branch).terms_of(failure.name)]
        else:
            told = self._told(branch)
            strange = told.known - set(reader.schema.get("properties", ()))
            others = [c.others for c in branch.claims if isinstance(c, Members) and c.others]
            found = [told.terms_of(name) for name in sorted(strange)]
            found.append(frozenset(Term(node, True) for node in others))
        for terms in found:
            if terms - {denied} and not self._refutation.apart(terms | {denied}):
                yield terms - {denied}

    def _union(self, writer: frozenset[Term], kind: Kind, failure: Failure) -> None:
        """Of each of the writer's alternatives, look into the one of the reader's it may be."""
        options = [term.node for term in failure.formula.terms if not term.valid]
        for case in self._cases(writer, kind):
            if self._refutation.open_branch(case, kind, failure.formula) is None:
                continue
            possible = self._possible(case, options, kind) or self._possible((), options, kind)
            if len(possible) == 1:
                self._explain(case, possible[0], (kind,))

    def _possible(self, case: Iterable[Term], options: Iterable[Node], kind: Kind) -> list[Node]:
        """The options that a value of this kind may satisfy with all terms of the case."""
        return [
            option
            for option in options
            if self._refutation.open_branch(case, kind, termed(Term(option, True))) is not None
        ]

    def _cases(self, writer: frozenset[Term], kind: Kind) -> Iterator[frozenset[Term]]:
        """The writer's terms with each alternative of the first union among them."""
        for term in writer:
            for statement in self._refutation.statements(term, kind) if term.valid else ():
                if statement.keyword in _ALTERNATIVES:
                    for choice in statement.holds.choices:
                        for alternative in choice:
                            yield writer | {t for t in alternative.terms if t.valid}
                    return
        yield writer


def _short(value: object) -> str:
    """What is demanded, if that is short."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        text = "、".join(value)
    else:
        text = "" if value == "" else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_SHOWN else ""
