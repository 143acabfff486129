"""The policy in force, as each connection's snapshot has it, compiled once a version."""

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.connection import Connection
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.errors import Forbidden, Invalid, PolicyChanged
from hub.event import Marking
from hub.policy import changes
from hub.policy.changes import PolicyChange
from hub.policy.document import PolicyDocument, parse
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy, etag
from hub.policy.tokens import ROLES, Caller
from tests.running import PATIENCE
from tests.sample import CITY, agency, grant, policy

ADMIN = Caller(token=1, agency=None, roles=ROLES)


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    with closing(open_sqlite(tmp_path_factory.mktemp("policies"), readers=4)) as made:
        yield made


@pytest.fixture
def policies() -> Policies:
    return Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )


def document(**parts: Any) -> PolicyDocument:
    made = parse(msgjson.encode(policy(**parts)))
    assert isinstance(made, PolicyDocument)
    return made


WHOLE = document()


def apply(
    connection: Connection,
    policies: Policies,
    wanted: PolicyDocument,
    *,
    if_match: str = "*",
    caller: Caller = ADMIN,
    now: int = 1,
) -> Policy:
    """Prepare a change, and put it in force."""
    ready = changes.prepare(
        wanted, policies=policies, catalogue=load_catalogue(), regions=load_regions()
    )
    change = PolicyChange(ready=ready, if_match=if_match, reason="test")
    return changes.apply(connection, change, policies=policies, caller=caller, now=now)


def test_a_change_that_is_not_yet_committed_is_the_writers_alone(
    database: SqliteDatabase, policies: Policies
) -> None:
    with database.readers.connect() as reader:
        before = policies.seen_by(reader)
    with database.writer.begin() as writer:
        after = apply(writer, policies, WHOLE)
        assert (after.version, policies.seen_by(writer)) == (before.version + 1, after)
        with database.readers.connect() as reader:
            assert policies.seen_by(reader) is before
    with database.readers.connect() as reader:
        assert policies.seen_by(reader) is after
    assert (after.document, after.agency(CITY) is None) == (WHOLE, False)


def test_an_earlier_version_is_compiled_once_however_many_ask_for_it_together(
    database: SqliteDatabase, policies: Policies
) -> None:
    with database.writer.begin() as writer:
        earlier = apply(writer, policies, WHOLE)
        apply(writer, policies, document(grants=[]))
    together = threading.Barrier(4)

    def ask(_: int) -> Policy:
        with database.readers.connect() as reader:
            policies.seen_by(reader)
            together.wait(timeout=PATIENCE)
            return policies.of_version(reader, earlier.version)

    with ThreadPoolExecutor(max_workers=4) as threads:
        found = list(threads.map(ask, range(4)))
    assert (found[0].version, found[0].document) == (earlier.version, WHOLE)
    assert all(policy is found[0] for policy in found)


def test_what_was_not_committed_is_not_taken_for_what_is(
    database: SqliteDatabase, policies: Policies
) -> None:
    with database.writer.connect() as writer:
        before = policies.seen_by(writer)
        lost = apply(writer, policies, WHOLE, now=1)
        writer.rollback()
        assert policies.seen_by(writer) is before
        kept = apply(writer, policies, document(grants=[]), now=2)
        assert kept.version == lost.version
        assert policies.seen_by(writer) is kept
        writer.commit()
    with database.readers.connect() as reader:
        assert policies.seen_by(reader) is kept


def test_a_version_that_is_read_back_is_the_one_that_was_written(
    database: SqliteDatabase, policies: Policies
) -> None:
    with database.writer.begin() as writer:
        written = apply(writer, policies, WHOLE)
    other = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    with database.readers.connect() as reader:
        read = other.seen_by(reader)
    assert (read.version, read.document, read.written) == (
        written.version,
        written.document,
        written.written,
    )
    assert etag(read) == etag(written)


def test_a_change_is_held_against_the_version_that_stands_when_it_is_written(
    database: SqliteDatabase, policies: Policies
) -> None:
    with database.writer.begin() as writer:
        first = apply(writer, policies, WHOLE)
        read = etag(first)
        assert apply(writer, policies, WHOLE, if_match=read, now=2) is first
        second = apply(writer, policies, document(grants=[]), if_match=read, now=2)
        with pytest.raises(PolicyChanged):
            apply(writer, policies, WHOLE, if_match=read, now=3)
        assert policies.seen_by(writer) is second


@pytest.mark.parametrize(
    ("role", "parts", "allowed"),
    [
        ("system", {"agencies": [agency(CITY, "x")], "grants": []}, True),
        ("security", {"agencies": [agency(CITY, "x")], "grants": []}, False),
        ("system", {"grants": [grant(CITY, "receive", "*")]}, False),
        ("security", {"grants": [grant(CITY, "receive", "*")]}, True),
    ],
)
def test_each_role_changes_its_part_alone(
    database: SqliteDatabase, policies: Policies, role: str, parts: dict[str, Any], allowed: bool
) -> None:
    caller = Caller(token=1, agency=None, roles=frozenset({role}))
    with database.writer.begin() as writer:
        standing = apply(writer, policies, document(grants=[]))
        if allowed:
            changed = apply(writer, policies, document(**parts), caller=caller, now=2)
            assert changed.version == standing.version + 1
        else:
            with pytest.raises(Forbidden):
                apply(writer, policies, document(**parts), caller=caller, now=2)
            assert policies.seen_by(writer) is standing


def test_what_is_wrong_with_a_document_is_told_before_its_turn_to_write(
    policies: Policies,
) -> None:
    wrong = document(grants=[grant("999999.petition", "publish", "petition.*")])
    with pytest.raises(Invalid) as told:
        changes.prepare(
            wrong, policies=policies, catalogue=load_catalogue(), regions=load_regions()
        )
    assert {fault.code for fault in told.value.faults} >= {"agency_unknown"}


def test_a_version_that_nobody_uses_any_more_goes_without_a_collection(policies: Policies) -> None:
    """Policies are kept out of the collector's sight, so they must hold no circles."""
    gc.disable()
    try:
        made = policies.compile(1, WHOLE)
        office = made.agency(CITY)
        assert office is not None
        assert made.grants.to(office, "receive", "petition.case_transferred")
        assert made.registry.resolve(CITY) == {CITY}
        assert office.body.accused_by(b"") is None
        left = [weakref.ref(part) for part in (made.registry, made.grants, office.body)]
        del made, office
        assert [part() for part in left] == [None] * 3
    finally:
        gc.enable()
