"""Roles and tokens: who may call what, tokens that come and go, and the record of acts."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from hub.app.embedded import embedded
from hub.app.ground import metrics_here
from hub.event import rfc3339
from hub.logs import logger
from hub.settings import Settings
from hub.upkeep.admin import ensure_admin_token
from tests.running import AgencyClient, RunningHub, restart_hub, running_hub
from tests.sample import CITY, DISCIPLINE, PETITION, policy
from tests.spec.storage import change

ROLES = ("system", "security", "auditor", "operator")
EVERYBODY = frozenset({"nobody", "agency", "administrator", *ROLES})
BEARERS = EVERYBODY - {"nobody"}
ANY_ROLE = BEARERS - {"agency"}
AGENCY = frozenset({"agency"})
DAY = 24 * 3600
NOBODYS_NUMBER = 999_999


def roles(*names: str) -> frozenset[str]:
    """These roles, and the administrator, who has all."""
    return frozenset({*names, "administrator"})


@dataclass(frozen=True)
class Call:
    """A call of the route table, who may make it, and what it then answers in this hub."""

    method: str
    route: str
    may: frozenset[str]
    status: int = 200
    path: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


BATCH = {"Content-Type": "application/cloudevents-batch+json"}
ANY_VERSION = {"If-Match": "*"}
SAME_POLICY = {**policy(), "reason": "试验"}
ONE, TYPE = "/v1/subscriptions/{id}", "petition.case_transferred"
CALLS = (
    Call("POST", "/v1/events", AGENCY, body=[], headers=BATCH),
    Call("POST", "/v1/subscriptions", AGENCY, 201, body={"id": "roles"}),
    Call("GET", "/v1/subscriptions", AGENCY),
    Call("GET", ONE, AGENCY, path="/v1/subscriptions/roles"),
    Call("PATCH", ONE, AGENCY, path="/v1/subscriptions/roles", body={"types": ["clue.*"]}),
    Call("GET", f"{ONE}/events", AGENCY, path="/v1/subscriptions/roles/events"),
    Call("POST", f"{ONE}/cursor", AGENCY, 400, "/v1/subscriptions/roles/cursor", {"cursor": "x"}),
    Call("GET", f"{ONE}/dead-letters", AGENCY, path="/v1/subscriptions/roles/dead-letters"),
    Call(
        "POST",
        f"{ONE}/dead-letters/{{n}}/redrive",
        AGENCY,
        404,
        f"/v1/subscriptions/roles/dead-letters/{NOBODYS_NUMBER}/redrive",
    ),
    Call("DELETE", ONE, AGENCY, 204, "/v1/subscriptions/roles"),
    Call("GET", "/v1/contracts", BEARERS),
    Call("GET", "/v1/contracts/{type}", BEARERS, path=f"/v1/contracts/{TYPE}"),
    Call("GET", "/v1/contracts/{type}/{version}", BEARERS, path=f"/v1/contracts/{TYPE}/1.0"),
    Call(
        "GET", "/v1/contracts/{type}/{version}/view", BEARERS, path=f"/v1/contracts/{TYPE}/1.0/view"
    ),
    Call(
        "GET",
        "/v1/contracts/{type}/{version}/impact",
        roles("operator"),
        path=f"/v1/contracts/{TYPE}/1.0/impact",
    ),
    Call("GET", "/v1/receipts/{id}", AGENCY, 404, f"/v1/receipts/{'0' * 32}"),
    Call(
        "GET",
        "/v1/explain",
        AGENCY | roles("auditor"),
        404,
        f"/v1/explain?source=/{DISCIPLINE}&id=unheard-of",
    ),
    Call("GET", "/v1/reads", roles("auditor"), path=f"/v1/reads?agency={CITY}"),
    Call("GET", "/v1/strangers", roles("security")),
    Call("GET", "/v1/policy", roles("system", "security", "auditor")),
    Call("PUT", "/v1/policy", roles("system", "security"), body=SAME_POLICY, headers=ANY_VERSION),
    Call("GET", "/v1/agencies", roles("system")),
    Call(
        "POST", "/v1/agencies/{id}/tokens", roles("system"), 201, f"/v1/agencies/{CITY}/tokens", {}
    ),
    Call(
        "DELETE",
        "/v1/agencies/{id}/tokens/{number:int}",
        roles("system"),
        404,
        f"/v1/agencies/{CITY}/tokens/{NOBODYS_NUMBER}",
    ),
    Call("POST", "/v1/tokens", roles("auditor"), 201, body={"role": "auditor"}),
    Call("GET", "/v1/tokens", ANY_ROLE),
    Call("DELETE", "/v1/tokens/{number:int}", ANY_ROLE, 404, f"/v1/tokens/{NOBODYS_NUMBER}"),
    Call("GET", "/v1/acts", roles("auditor")),
    Call("GET", "/v1/feeds", roles("system", "security", "auditor")),
    Call("GET", "/v1/purges", roles("auditor")),
    Call("GET", "/v1/status", roles("operator")),
    Call("GET", "/v1/doctor", roles("operator")),
    Call("GET", "/metrics", roles("operator")),
    Call("GET", "/openapi.json", EVERYBODY),
    Call("GET", "/asyncapi.json", EVERYBODY),
    Call("GET", "/catalogue", EVERYBODY, 307),
    Call("GET", "/catalogue/{name:path}", EVERYBODY, path="/catalogue/"),
    Call("GET", "/health/live", EVERYBODY),
    Call("GET", "/health/ready", EVERYBODY),
)


@pytest.fixture(scope="module")
def bearers(hub: RunningHub) -> dict[str, str | None]:
    """A token for everybody who may call, none for nobody."""
    administrator = (hub.directory / "admin.token").read_text().strip()
    held = {role: issue(hub, administrator, role=role)["token"] for role in ROLES}
    return {"nobody": None, "agency": hub.token(CITY), "administrator": administrator, **held}


def issue(hub: RunningHub, bearer: str | None, **asked: Any) -> dict[str, Any]:
    """A new token for a role, or for the agency that is named."""
    agency = asked.pop("agency", None)
    path = f"/v1/agencies/{agency}/tokens" if agency else "/v1/tokens"
    with hub.client(bearer) as client:
        answer = client.post(path, json=asked)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def status(hub: RunningHub, token: str) -> int:
    """What the hub says to a token, on a call that needs one and no more."""
    with hub.client(token) as client:
        return client.get("/v1/contracts").status_code


def listed(client: httpx.Client, **query: Any) -> dict[int, dict[str, Any]]:
    """The tokens of a list by number, page by page."""
    return {item["number"]: item for item in items(client, "/v1/tokens", **query)}


def items(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.extend(page["items"])
        if page["next"] is None:
            return found
        query["after"] = page["next"]


# --- who may call what ----------------------------------------------------------------------------


async def test_the_table_says_of_every_call_of_the_hub_who_may_make_it(tmp_path: Path) -> None:
    metrics = metrics_here()
    async with embedded(tmp_path, settings=Settings(), metrics=metrics, log=logger()) as (
        _,
        web,
    ):
        routes = [route for route in web.app.routes if isinstance(route, Route)]
        assert routes == web.app.routes
    told = [(method, r.path) for r in routes for method in r.methods or () if method != "HEAD"]
    assert sorted(told) == sorted((call.method, call.route) for call in CALLS)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_call_is_for_whom_the_table_says(
    hub: RunningHub, bearers: dict[str, str | None], call: Call
) -> None:
    answered = {}
    for name, token in bearers.items():
        with hub.client(token) as client:
            answer = client.request(
                call.method, call.path or call.route, json=call.body, headers=call.headers
            )
        answered[name] = answer.status_code
    refused = {name: 401 if name == "nobody" else 403 for name in EVERYBODY - call.may}
    assert answered == {**refused, **dict.fromkeys(call.may, call.status)}


def test_a_role_makes_tokens_of_its_own_and_no_other(
    hub: RunningHub, bearers: dict[str, str | None]
) -> None:
    made = set()
    for bearer, token in bearers.items():
        with hub.client(token) as client:
            for role in ROLES:
                answer = client.post("/v1/tokens", json={"role": role})
                if answer.status_code == 201:
                    made.add((bearer, role))
                    assert status(hub, answer.json()["token"]) == 200
    assert made == {(role, role) for role in ROLES} | {("administrator", role) for role in ROLES}


def test_a_role_revokes_tokens_of_its_own_and_no_other(
    hub: RunningHub, bearers: dict[str, str | None]
) -> None:
    administrator = bearers["administrator"]
    ended = set()
    for owner in (*ROLES, "agency"):
        asked = {"agency": CITY} if owner == "agency" else {"role": owner}
        for bearer in ("agency", *ROLES, "administrator"):
            made = issue(hub, administrator, **asked)
            assert status(hub, made["token"]) == 200
            with hub.client(bearers[bearer]) as client:
                answer = client.delete(f"/v1/tokens/{made['number']}")
            if answer.status_code == 204:
                ended.add((bearer, owner))
                assert status(hub, made["token"]) == 401
                with hub.client(administrator) as client:
                    assert client.delete(f"/v1/tokens/{made['number']}").status_code == 404
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
                assert status(hub, made["token"]) == 200
    assert ended == {
        *((role, role) for role in ROLES),
        *(("administrator", owner) for owner in (*ROLES, "agency")),
        ("system", "agency"),
    }


def test_only_the_administrator_ends_the_administrators_token_and_it_stays_so(
    fresh_hub: RunningHub,
) -> None:
    administrator = (fresh_hub.directory / "admin.token").read_text().strip()
    held = {role: issue(fresh_hub, administrator, role=role)["token"] for role in ROLES}
    for token in held.values():
        with fresh_hub.client(token) as client:
            assert client.delete("/v1/tokens/1").status_code == 403
    with fresh_hub.admin as admin:
        assert admin.delete("/v1/tokens/1").status_code == 204
    assert fresh_hub.stop() == 0
    with running_hub(fresh_hub.directory) as again:
        assert status(again, administrator) == 401
        assert [status(again, token) for token in held.values()] == [200] * 4


def test_an_agencys_path_ends_no_token_of_another(hub: RunningHub) -> None:
    foreign = issue(hub, (hub.directory / "admin.token").read_text().strip(), agency=DISCIPLINE)
    with hub.admin as admin:
        own = listed(admin)
        role = next(n for n, token in own.items() if token["roles"] == ["operator"])
        for number in (foreign["number"], role, 0, 2**70):
            assert admin.delete(f"/v1/agencies/{CITY}/tokens/{number}").status_code == 404
    assert status(hub, foreign["token"]) == 200


WRONG: tuple[tuple[str, Any], ...] = (
    ("/v1/tokens", {}),
    ("/v1/tokens", {"role": "administrator"}),
    ("/v1/tokens", {"role": "auditor operator"}),
    ("/v1/tokens", {"role": ["auditor"]}),
    ("/v1/tokens", {"role": "auditor", "agency": CITY}),
    ("/v1/tokens", {"role": "auditor", "seconds": 59}),
    ("/v1/tokens", {"role": "auditor", "seconds": 3 * 365 * DAY + 1}),
    ("/v1/tokens", {"role": "auditor", "seconds": True}),
    ("/v1/tokens", {"role": "auditor", "replaces": 2**64}),
    ("/v1/tokens", {"role": "auditor", "replaces": 1, "overlap": -1}),
    ("/v1/tokens", {"role": "auditor", "replaces": 1, "overlap": 30 * DAY + 1}),
    (f"/v1/agencies/{CITY}/tokens", {"role": "auditor"}),
    (f"/v1/agencies/{CITY}/tokens", []),
)


@pytest.mark.parametrize(("path", "asked"), WRONG, ids=str)
def test_a_token_that_is_wrongly_asked_for_is_not_made(
    hub: RunningHub, path: str, asked: Any
) -> None:
    with hub.admin as admin:
        before = listed(admin)
        answer = admin.post(path, json=asked)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        assert listed(admin) == before


# --- the list -------------------------------------------------------------------------------------


def test_the_list_shows_each_role_what_it_has_charge_of(
    hub: RunningHub, bearers: dict[str, str | None]
) -> None:
    with hub.admin as admin:
        everything = listed(admin)
        assert listed(admin, limit=3) == everything
        of_city = {n: token for n, token in everything.items() if token["agency"] == CITY}
        assert listed(admin, agency=CITY) == of_city != {}
        assert listed(admin, agency="nobody") == {}
    seen = {}
    for role in ROLES:
        with hub.client(bearers[role]) as client:
            seen[role] = listed(client)
    assert seen["system"] == seen["auditor"] == everything
    for role in ("security", "operator"):
        own = {n: token for n, token in everything.items() if token["roles"] == [role]}
        assert seen[role] == own != {}


def test_the_list_tells_all_but_the_secret(fresh_hub: RunningHub) -> None:
    with fresh_hub.admin as admin:
        started = rfc3339(time_ns() // 1000)
        short = admin.post("/v1/tokens", json={"role": "operator", "seconds": 60}).json()
        made = admin.post(f"/v1/agencies/{CITY}/tokens", json={}).json()
        admin.delete(f"/v1/tokens/{made['number']}")
        ended = rfc3339(time_ns() // 1000)
        administrators, role, agency = admin.get("/v1/tokens").json()["items"]
    assert (administrators["number"], administrators["roles"]) == (1, sorted(ROLES))
    for token in (role, agency):
        created = token.pop("created")
        assert started <= created <= ended
    assert role == {
        "number": short["number"],
        "agency": None,
        "roles": ["operator"],
        "expires": short["expires"],
        "last_used": None,
        "revoked": None,
        "replaced_by": None,
    }
    revoked = agency.pop("revoked")
    assert started <= revoked <= ended
    assert agency == {
        "number": made["number"],
        "agency": CITY,
        "roles": [],
        "expires": made["expires"],
        "last_used": None,
        "replaced_by": None,
    }


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=" + "9" * 19, "limit=x"])
def test_a_page_that_is_wrongly_asked_for_is_refused(hub: RunningHub, query: str) -> None:
    with hub.admin as admin:
        for path in ("/v1/tokens", "/v1/acts"):
            answer = admin.get(f"{path}?{query}")
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


# --- replacing ------------------------------------------------------------------------------------


def test_a_replaced_token_is_good_for_the_overlap_and_no_longer_than_before(
    hub: RunningHub, bearers: dict[str, str | None]
) -> None:
    administrator = bearers["administrator"]
    for owner in ({"agency": CITY}, {"role": "operator"}):
        for seconds, overlap in ((DAY, 3600), (60, 3600), (DAY, None), (3 * DAY, None)):
            old = issue(hub, administrator, seconds=seconds, **owner)
            before = time_ns() // 1000
            asked = {"replaces": old["number"], **owner}
            if overlap is not None:
                asked["overlap"] = overlap
            new = issue(hub, administrator, **asked)
            after = time_ns() // 1000
            assert [status(hub, token["token"]) for token in (old, new)] == [200, 200]
            with hub.admin as admin:
                found = listed(admin)
            assert found[old["number"]]["replaced_by"] == new["number"]
            assert found[new["number"]]["replaced_by"] is None
            # Unless it is said otherwise, there is a day to change over.
            overlapping = (DAY if overlap is None else overlap) * 1_000_000
            earliest = min(old["expires"], rfc3339(before + overlapping))
            latest = min(old["expires"], rfc3339(after + overlapping))
            assert earliest <= found[old["number"]]["expires"] <= latest


def test_without_overlap_a_replaced_token_ends_at_once(
    hub: RunningHub, bearers: dict[str, str | None]
) -> None:
    old = issue(hub, bearers["auditor"], role="auditor")
    assert status(hub, old["token"]) == 200
    issue(hub, old["token"], role="auditor", replaces=old["number"], overlap=0)
    with hub.client(old["token"]) as client:
        answer = client.get("/v1/contracts")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert (
        answer.json()["detail"]
        == "令牌已过期，请申请新的 / the token has expired, ask for a new one"
    )


def test_only_a_token_in_force_of_the_same_owner_is_replaced(
    hub: RunningHub, bearers: dict[str, str | None]
) -> None:
    administrator = bearers["administrator"]
    revoked = issue(hub, administrator, agency=CITY)["number"]
    ended = issue(hub, administrator, agency=CITY)["number"]
    issue(hub, administrator, agency=CITY, replaces=ended, overlap=0)
    other = issue(hub, administrator, agency=DISCIPLINE)["number"]
    role = issue(hub, administrator, role="operator")["number"]
    with hub.admin as admin:
        admin.delete(f"/v1/tokens/{revoked}")
        before = listed(admin)
        for number in (revoked, ended, other, role, 1, NOBODYS_NUMBER):
            for path, asked in (
                (f"/v1/agencies/{CITY}/tokens", {}),
                ("/v1/tokens", {"role": "auditor"}),
            ):
                answer = admin.post(path, json={"replaces": number, **asked})
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
                (error,) = answer.json()["errors"]
                assert (error["code"], error["pointer"]) == ("token_unknown", "/replaces")
        assert listed(admin) == before


def test_an_administrators_token_made_anew_leaves_the_roles_theirs(fresh_hub: RunningHub) -> None:
    file = fresh_hub.directory / "admin.token"
    old = file.read_text().strip()
    auditor = issue(fresh_hub, old, role="auditor")["token"]
    assert fresh_hub.stop() == 0
    file.unlink()
    with running_hub(fresh_hub.directory) as again:
        new = file.read_text().strip()
        assert [status(again, token) for token in (old, new, auditor)] == [401, 200, 200]
        with again.client(auditor) as client:
            acts = items(client, "/v1/acts")
    administrators = "+".join(sorted(ROLES))
    assert [
        (a["act"], a["caller"], a["token"], a["subject"], a["detail"]["number"]) for a in acts[-2:]
    ] == [
        ("token.revoked", "hub", None, administrators, 1),
        ("token.issued", "hub", None, administrators, 3),
    ]


# --- last use, and tokens that end soon -----------------------------------------------------------


def test_the_last_use_of_a_token_is_kept(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        administrator = (hub.directory / "admin.token").read_text().strip()
        used, unused = (issue(hub, administrator, agency=CITY) for _ in range(2))
        status(hub, used["token"])
        before = rfc3339(time_ns() // 1000)
        status(hub, used["token"])
        after = rfc3339(time_ns() // 1000)
        assert hub.stop() == 0
    with running_hub(tmp_path / "data") as again, again.admin as admin:
        found = listed(admin, agency=CITY)
    assert before <= found[used["number"]]["last_used"] <= after
    assert found[unused["number"]]["last_used"] is None


def test_the_metrics_and_the_doctor_tell_how_many_tokens_end_soon(fresh_hub: RunningHub) -> None:
    def expiring(hub: RunningHub) -> tuple[str, list[str]]:
        with hub.admin as admin:
            found = re.search(r"^guantong_tokens_expiring (.*)$", admin.get("/metrics").text, re.M)
            findings = admin.get("/v1/doctor").json()["findings"]
        assert found is not None
        told = [f["says"] for f in findings if f["check"] == "tokens" and "未更换" in f["says"]]
        return found[1], [re.sub("（.*）", "", says) for says in told]

    administrator = (fresh_hub.directory / "admin.token").read_text().strip()
    numbers = [issue(fresh_hub, administrator, agency=CITY)["number"] for _ in range(5)]
    assert expiring(fresh_hub) == ("0.0", [])
    fresh_hub.kill()
    now = time_ns() // 1000
    days = (10, 15, 10, 10, -1)
    change(
        fresh_hub.directory,
        *(
            f"UPDATE tokens SET created_at = 0, expires_at = {now + d * DAY * 1_000_000}"
            f" WHERE number = {n}"
            for d, n in zip(days, numbers, strict=True)
        ),
    )
    again = restart_hub(fresh_hub)
    try:
        assert expiring(again) == ("3.0", [f"3 个令牌将在 14 天内到期而未更换：{CITY}"])
        with again.admin as admin:
            admin.delete(f"/v1/tokens/{numbers[2]}")
        issue(again, administrator, agency=CITY, replaces=numbers[3], overlap=3600)
        issue(again, administrator, agency=CITY, seconds=3600)
        # A reading serves for some seconds; a new process has none yet.
        again = restart_hub(again)
        assert expiring(again) == ("1.0", [f"1 个令牌将在 14 天内到期而未更换：{CITY}"])
        # Who has left needs no new one.
        again.apply(
            policy(agencies=[a for a in policy()["agencies"] if a["id"] != CITY], grants=[])
        )
        again = restart_hub(again)
        assert expiring(again) == ("0.0", [])
    finally:
        again.kill()


# --- the record of acts ---------------------------------------------------------------------------


@pytest.fixture
def recorded(fresh_hub: RunningHub) -> Iterator[tuple[RunningHub, httpx.Client]]:
    """A hub, and an auditor's client of it."""
    administrator = (fresh_hub.directory / "admin.token").read_text().strip()
    with fresh_hub.client(issue(fresh_hub, administrator, role="auditor")["token"]) as auditor:
        yield fresh_hub, auditor


def of_acts(acts: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Acts without their times."""
    return [(a["act"], a["caller"], a["token"], a["subject"], a["detail"]) for a in acts]


def test_every_administrative_act_is_on_the_record(
    recorded: tuple[RunningHub, httpx.Client],
) -> None:
    hub, auditor = recorded
    administrator = (hub.directory / "admin.token").read_text().strip()
    started = items(auditor, "/v1/acts")
    first = issue(hub, administrator, agency=CITY)
    second = issue(hub, administrator, agency=CITY, replaces=first["number"], overlap=60)
    with hub.admin as admin:
        ends = listed(admin)[first["number"]]["expires"]
        assert admin.delete(f"/v1/agencies/{CITY}/tokens/{first['number']}").status_code == 204
    office = AgencyClient(CITY, hub.client(second["token"]))
    made = office.subscribe("mine", types=["clue.concluded"])
    assert office.http.patch("/v1/subscriptions/mine", json={"region": "510104"}).is_success
    assert office.http.delete("/v1/subscriptions/mine").is_success
    changed = {
        **policy(),
        "recusals": [{"id": "r", "agency": CITY, "case": "clue:1", "reason": "避"}],
    }
    hub.apply(changed)

    acts = items(auditor, "/v1/acts")
    assert acts[: len(started)] == started
    assert [act["number"] for act in acts] == list(range(1, len(acts) + 1))
    assert [act["at"] for act in acts] == sorted(act["at"] for act in acts)
    mine, later = f"{CITY}/mine", acts[len(started) :]
    all_roles, numbers = "+".join(sorted(ROLES)), (first["number"], second["number"])
    body = {
        "id": "mine",
        "types": ["clue.concluded"],
        "region": None,
        "start": "now",
        "filters": [],
        "versions": {},
        "delivery": {"channel": "pull"},
    }
    asked = {"number": 1, "body": body, "pins": made["versions"]}
    asked_later = {**asked, "body": {**body, "region": "510104"}}
    counts = {name: len(changed[name]) for name in ("agencies", "grants", "recusals")}
    replaced = {"number": numbers[1], "expires": second["expires"]}
    assert of_acts(later) == [
        ("token.issued", all_roles, 1, CITY, {"number": numbers[0], "expires": first["expires"]}),
        ("token.replaced", all_roles, 1, CITY, replaced | {"replaces": numbers[0], "ends": ends}),
        ("token.revoked", all_roles, 1, CITY, {"number": numbers[0]}),
        ("subscription.made", CITY, numbers[1], mine, asked),
        ("subscription.changed", CITY, numbers[1], mine, asked_later),
        ("subscription.ended", CITY, numbers[1], mine, asked_later),
        ("policy.applied", all_roles, 1, "policy", {"version": 2, "reason": "test", **counts}),
    ]
    secrets = [administrator, first["token"], second["token"]]
    assert [secret for secret in secrets if secret in json.dumps(acts)] == []


def test_the_record_begins_with_the_hubs_first_token(
    recorded: tuple[RunningHub, httpx.Client],
) -> None:
    _, auditor = recorded
    acts = items(auditor, "/v1/acts")
    administrators = "+".join(sorted(ROLES))
    assert [(a["act"], a["caller"], a["token"], a["subject"]) for a in acts] == [
        ("token.issued", "hub", None, administrators),
        ("policy.applied", administrators, 1, "policy"),
        ("token.issued", administrators, 1, "auditor"),
    ]


def test_what_was_not_done_is_not_on_the_record(
    recorded: tuple[RunningHub, httpx.Client],
) -> None:
    hub, auditor = recorded
    office = hub.agency(CITY)
    office.subscribe("mine")
    before = items(auditor, "/v1/acts")
    again = office.http.post("/v1/subscriptions", json={"id": "mine"})
    other = office.http.post("/v1/subscriptions", json={"id": "mine", "types": ["clue.*"]})
    gone = office.http.delete("/v1/subscriptions/gone")
    unknown = office.http.patch("/v1/subscriptions/mine", json={"types": ["nothing.*"]})
    refused = auditor.post("/v1/tokens", json={"role": "system"})
    answers = (again, other, gone, unknown, refused)
    assert [a.status_code for a in answers] == [200, 409, 404, 422, 403]
    with hub.admin as admin:
        standing = admin.get("/v1/policy").json()
    hub.apply({name: standing[name] for name in ("agencies", "grants", "recusals")})
    assert items(auditor, "/v1/acts") == before


def test_the_record_is_searched_by_subject_act_and_time(
    recorded: tuple[RunningHub, httpx.Client],
) -> None:
    hub, auditor = recorded
    for agency in (CITY, DISCIPLINE):
        hub.agency(agency).subscribe("one")
        hub.agency(agency).subscribe("two")
    acts = items(auditor, "/v1/acts")
    assert items(auditor, "/v1/acts", limit=2) == acts
    for name, value in (("subject", f"{CITY}/one"), ("subject", CITY), ("act", "policy.applied")):
        wanted = [act for act in acts if act[name] == value]
        assert items(auditor, "/v1/acts", limit=1, **{name: value}) == wanted != []
    both = {"subject": f"{CITY}/two", "act": "subscription.made"}
    assert len(items(auditor, "/v1/acts", **both)) == 1
    assert items(auditor, "/v1/acts", subject=f"{CITY}/two", act="subscription.ended") == []
    moment = acts[3]["at"]
    assert items(auditor, "/v1/acts", since=moment) == [a for a in acts if a["at"] >= moment] != []
    assert items(auditor, "/v1/acts", since="2099-01-01T08:00:00+08:00") == []
    for query in ("act=token.stolen", "since=yesterday", "since=2026-01-01T00:00:00", "since=123"):
        answer = auditor.get(f"/v1/acts?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


# --- failed attempts ------------------------------------------------------------------------------


def refusals(hub: RunningHub) -> dict[str, float]:
    """The requests without a valid token, by what was wrong."""
    with hub.admin as admin:
        text = admin.get("/metrics").text
    found = re.findall(
        r'^guantong_requests_unauthenticated_total\{reason="(\w+)"\} (.*)$', text, re.M
    )
    return {reason: float(count) for reason, count in found}


def asking(hub: RunningHub, token: str, *, address: str = "127.0.0.1") -> httpx.Response:
    """A call with a token; a gateway on this machine says for which address it speaks."""
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
    with hub.client(None) as client:
        return client.get("/v1/contracts", headers=headers)


def test_a_bad_token_is_soon_not_even_looked_at(fresh_hub: RunningHub) -> None:
    """How many attempts there are within which time is told in `tests/unit/test_attempts.py`."""
    known, new, bad = fresh_hub.token(CITY), fresh_hub.token(PETITION), "gt_badbadbadbadbad"
    looked_at = 0
    while (answer := asking(fresh_hub, f"{bad}{looked_at}")).status_code == 401:
        looked_at += 1
        # A neighbour is not held up by it: its token is known.
        assert asking(fresh_hub, known).status_code == 200
    assert looked_at >= 30
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert answer.json()["retryable"] is True
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert asking(fresh_hub, new).status_code == 200
    assert refusals(fresh_hub) == {"unknown": looked_at, "limited": 1.0}


def test_an_address_has_only_so_many_attempts_whatever_it_tries(fresh_hub: RunningHub) -> None:
    """All addresses of one IPv6 network together, so that it has not 2⁶⁴ times as many."""
    known, new = fresh_hub.token(CITY), fresh_hub.token(PETITION)
    assert asking(fresh_hub, known).status_code == 200
    looked_at = 0
    while (
        answer := asking(fresh_hub, f"gt_{looked_at:05}", address=f"2001:db8::{looked_at}")
    ).status_code == 401:
        looked_at += 1
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert looked_at >= 120
    assert asking(fresh_hub, known, address="2001:db8::1").status_code == 200
    assert asking(fresh_hub, new, address="2001:db8:0:1::1").status_code == 200
    assert asking(fresh_hub, "gt_elsewhere", address="192.0.2.1").status_code == 401


def test_good_tokens_are_not_locked_out_by_bad_ones_after_a_restart(tmp_path: Path) -> None:
    """They are known before anybody behind their address can spend its attempts."""
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        tokens = [hub.token(CITY), hub.token(PETITION)]
        administrator = (hub.directory / "admin.token").read_text().strip()
        revoked = issue(hub, administrator, agency=CITY)
        with hub.admin as admin:
            admin.delete(f"/v1/tokens/{revoked['number']}")
        assert hub.stop() == 0
    # Whoever lost the administrator's token has the hub make a new one, which ends the old.
    (tmp_path / "data" / "admin.token").unlink()
    with running_hub(tmp_path / "data") as hub:
        assert asking(hub, administrator).status_code == 401
        assert asking(hub, revoked["token"]).status_code == 401
        tried = 0
        while (answer := asking(hub, f"gt_{tried:05}")).status_code == 401:
            tried += 1
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert [asking(hub, token).status_code for token in tokens] == [200, 200]
        # Each second brings another attempt, which a revoked token may have.
        while (answer := asking(hub, revoked["token"])).status_code == 401:
            pass
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")


def test_a_gateway_of_many_agencies_is_no_attacker(fresh_hub: RunningHub) -> None:
    """A new token is looked up at its first use, and costs its address nothing."""
    with fresh_hub.admin as admin:
        path = f"/v1/agencies/{CITY}/tokens"
        tokens = [admin.post(path, json={}).json()["token"] for _ in range(130)]
    assert [asking(fresh_hub, token).status_code for token in tokens] == [200] * 130
    assert refusals(fresh_hub) == {}


async def test_many_connections_may_begin_with_one_token_at_once(tmp_path: Path) -> None:
    """All ask before any has its answer: a good token is looked up once, a bad one 30 times."""
    metrics = metrics_here()
    async with embedded(tmp_path, settings=Settings(), metrics=metrics, log=logger()) as (
        hub,
        web,
    ):
        await ensure_admin_token(tmp_path, hub.writer, now=time_ns() // 1000)
        good = (tmp_path / "admin.token").read_text().strip()
        transport = httpx.ASGITransport(app=web)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            answered = {}
            for token in (good, "gt_unknown"):
                headers = {"Authorization": f"Bearer {token}"}
                calls = (client.get("/v1/contracts", headers=headers) for _ in range(64))
                answered[token] = Counter(a.status_code for a in await asyncio.gather(*calls))
    assert answered == {good: {200: 64}, "gt_unknown": {401: 30, 429: 34}}


def test_what_is_wrong_with_a_token_is_counted_and_logged_without_it(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        administrator = (hub.directory / "admin.token").read_text().strip()
        revoked, expired = (issue(hub, administrator, agency=CITY) for _ in range(2))
        with hub.admin as admin:
            admin.delete(f"/v1/tokens/{revoked['number']}")
        issue(hub, administrator, agency=CITY, replaces=expired["number"], overlap=0)
        shown = ["gt_unknown", "gt_" + "x" * 600, revoked["token"], expired["token"]]
        for token in shown:
            assert status(hub, token) == 401
        with hub.client(None) as nobody:
            headers = {"Authorization": "Basic Z3Q6Z3Q="}
            assert nobody.get("/v1/contracts").status_code == 401
            assert nobody.get("/v1/contracts", headers=headers).status_code == 401
        assert refusals(hub) == {
            "missing": 1.0,
            "malformed": 2.0,
            "unknown": 1.0,
            "revoked": 1.0,
            "expired": 1.0,
        }
        assert hub.stop() == 0
    lines = [json.loads(line) for line in hub.lines if '"token.refused"' in line]
    assert [(line["address"], line["reason"]) for line in lines] == [
        ("127.0.0.1", reason) for reason in ("unknown", "revoked", "expired")
    ]
    assert [line for line in hub.lines if any(token in line for token in shown)] == []
