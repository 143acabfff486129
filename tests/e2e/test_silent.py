"""A whole hub on PostgreSQL, whose connections stand and are not answered.

Doors of their own are in `tests/faults`, all waits one by one in `tests/unit/test_patience.py`.
"""

import asyncio
from pathlib import Path

import pytest

from deploy.local.postgres import PostgresServer
from hub.database.postgres import ANSWER_SECONDS
from tests.faults.field import ways_to
from tests.faults.parcels import BAD, GOOD, OTHER, assert_put_off
from tests.postgres import fresh_database, rows
from tests.running import AgencyClient, results_of, start_hub
from tests.sample import PETITION, policy


@pytest.mark.backend("postgresql")
def test_publishers_are_put_off_and_what_they_send_again_is_there_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with fresh_database(postgres) as url, ways_to(postgres.port, ["up"]) as ways:
        address = url.replace(f":{postgres.port}/", f":{ways.ports['up']}/")
        hub = start_hub(tmp_path / "data", settings={"database": address})
        try:
            hub.apply(policy())
            impatient = hub.client(hub.token(PETITION), timeout=ANSWER_SECONDS - 5)
            with ways.held("up", new=True):
                assert_put_off(AgencyClient(PETITION, impatient))
            again = hub.agency(PETITION).publish(GOOD, BAD, OTHER)
            told = {result["id"]: result["status"] for result in results_of(again)}
        finally:
            hub.kill()
        kept = asyncio.run(rows(url, "SELECT event_id FROM journal ORDER BY event_id"))
        refused = asyncio.run(rows(url, "SELECT DISTINCT event_id FROM refusals"))
    assert told.pop(BAD["id"]) == "rejected"
    # Some were on their way, and done though nobody waited for it.
    assert {*told.values()} <= {"accepted", "duplicate"}
    assert [id_ for (id_,) in kept] == sorted(told) == [GOOD["id"], OTHER["id"]]
    assert [id_ for (id_,) in refused] == [BAD["id"]]
