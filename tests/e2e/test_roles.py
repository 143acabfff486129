"""Tokens and the record of acts from the command line."""

import json
from typing import Any

from tests.commands import Done, guantong
from tests.running import RunningHub
from tests.sample import CITY, PETITION


def asked(hub: RunningHub, *words: str, token: str | None = None) -> Done:
    """A command against the hub: under a token, else under the administrator's."""
    where = () if token else ("--data", str(hub.directory))
    return guantong(
        *words, *where, environment={"GUANTONG_URL": hub.url, "GUANTONG_TOKEN": token or ""}
    )


def told(hub: RunningHub, *words: str, token: str | None = None) -> Any:
    """What a command says to a machine."""
    done = asked(hub, *words, "--json", token=token)
    assert done.status == 0, done.complained
    return done.document


def test_a_role_gets_changes_and_ends_its_tokens(hub: RunningHub) -> None:
    first = asked(hub, "token", "issue", "auditor", "--days", "30")
    assert (first.status, first.complained) == (0, "")
    auditor = first.said.strip()
    number = next(t["number"] for t in told(hub, "token", "list") if t["roles"] == ["auditor"])
    change = ("token", "issue", "auditor", "--replaces", str(number), "--overlap", "2")
    second = told(hub, *change, token=auditor)
    foreign = asked(hub, "token", "issue", "system", token=second["token"])
    assert (foreign.status, foreign.said) == (1, "")
    assert "此令牌无权进行该操作 / this token may not do that (forbidden)" in foreign.complained

    ended = asked(hub, "token", "revoke", str(number), token=second["token"])
    assert (ended.status, ended.said) == (0, f"令牌 {number} 已吊销\n")
    refused = asked(hub, "token", "list", token=auditor)
    assert (refused.status, "(unauthenticated) 令牌已被吊销" in refused.complained) == (1, True)
    shown = asked(hub, "token", "list", token=second["token"]).said
    (line,) = [line for line in shown.splitlines() if f" {number} " in line and "auditor" in line]
    assert line.rstrip(" │").endswith(str(second["number"]))


def test_an_agencys_token_is_changed_over(hub: RunningHub) -> None:
    first = told(hub, "agency", "token", CITY)
    second = told(hub, "agency", "token", CITY, "--replaces", str(first["number"]))
    found = {t["number"]: t for t in told(hub, "token", "list", "--agency", CITY)}
    assert {n: t["replaced_by"] for n, t in found.items()} == {
        first["number"]: second["number"],
        second["number"]: None,
    }
    lonely = asked(hub, "agency", "token", PETITION, "--overlap", "1")
    assert lonely.status == 1
    assert "--overlap 须与 --replaces 同用 / --overlap goes with --replaces" in lonely.complained


def test_the_record_of_acts_is_shown_as_it_was_written(hub: RunningHub) -> None:
    reason = "依据〔2026〕3号 [/red] [bold]"
    with hub.admin as admin:
        standing = admin.get("/v1/policy").json()
    parts = {name: standing[name] for name in ("agencies", "recusals")}
    hub.apply({**parts, "grants": standing["grants"][1:], "reason": reason})
    acts = told(hub, "audit", "acts", "--act", "policy.applied", "--subject", "policy")
    assert [act["detail"]["reason"] for act in acts] == ["test", reason]
    since = asked(hub, "audit", "acts", "--act", "policy.applied", "--since", acts[1]["at"])
    assert (since.status, since.complained) == (0, "")
    assert json.dumps(reason, ensure_ascii=False) in since.said
    assert '"reason": "test"' not in since.said
