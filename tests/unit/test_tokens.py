"""Which tokens a hub knows from its start."""

from contextlib import closing
from pathlib import Path

import pytest

from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import open_sqlite
from hub.policy import sql
from hub.policy import tokens as policy_tokens
from hub.policy.tokens import Caller, Tokens, digest_of
from tests.sample import CITY

NOW = 1_000


async def test_the_tokens_that_were_used_last_are_known_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_tokens, "_CACHED", 3)
    names = ("expired", "revoked", "unused", "long ago", "lately", "today", "new")
    with closing(open_sqlite(tmp_path, readers=1)) as database:
        with database.writer.begin() as connection:
            numbers = {
                name: sql.insert_token(
                    connection,
                    digest=digest_of(name),
                    agency=CITY,
                    roles="",
                    now=1,
                    expires=NOW + (name != "expired"),
                )
                for name in names
            }
            sql.revoke_token(connection, numbers["revoked"], now=2)
            used = {"long ago": 3, "lately": 4, "today": 5, "expired": 6, "revoked": 7}
            sql.note_uses(connection, {numbers[name]: at for name, at in used.items()})
        readers = Readers(OnThreads(database.reading, threads=1), failed=lambda _: None)
        tokens = Tokens(readers)

        def known() -> list[str]:
            return [name for name in names if tokens.remembered(name, now=NOW)]

        await tokens.load(now=NOW)
        assert known() == ["long ago", "lately", "today"]
        assert tokens.remembered("today", now=NOW) == Caller(numbers["today"], CITY, frozenset())
        # One more, and the one that was used longest ago gives way.
        assert await tokens.find("new", now=NOW) == Caller(numbers["new"], CITY, frozenset())
        assert known() == ["lately", "today", "new"]
        # Another process has revoked one.
        with database.writer.begin() as connection:
            sql.revoke_token(connection, numbers["today"], now=8)
        await tokens.load(now=NOW)
        assert known() == ["long ago", "lately", "new"]
        readers.stop()
