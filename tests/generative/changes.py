"""What happens to a policy between one reading and the next."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from tests.generative import world
from tests.generative.world import Json, Policy

ENDED: Final = {"from": world.LONG_AGO, "until": world.YESTERDAY}
OUT_OF_FORCE: Final = {"valid_from": world.LONG_AGO, "valid_until": world.YESTERDAY}


def change(random: Random, policy: Policy, cases: Sequence[str]) -> Policy:
    """The policy after one change."""
    agencies, grants, recusals = policy["agencies"], policy["grants"], policy["recusals"]
    n, m, fresh = (
        random.randrange(len(agencies)),
        random.randrange(len(grants)),
        str(random.random()),
    )
    old, given = agencies[n], grants[m]
    again = world.record(random, world.IDS.index(old["id"]))
    changes: Sequence[Policy] = (
        {"agencies": said(agencies, n, name=random.choice(agencies)["name"])},
        {"agencies": said(agencies, n, acts_as=random.sample(world.ROLES, 2))},
        {"agencies": said(agencies, n, organ=random.choice(("organ-510100", "street")))},
        {"agencies": said(agencies, n, clearance=random.choice(("public", "mimi")))},
        {"agencies": said(agencies, n, **OUT_OF_FORCE)},
        {"agencies": [*agencies[:n], again, *agencies[n + 1 :]]},
        {"agencies": [*agencies[:n], *agencies[n + 1 :]]},
        {"grants": said(grants, m, **ENDED)},
        {"grants": said(grants, m, classes=random.choice(world.CLASSES))},
        {"grants": [other for other in grants if other is not given]},
        {"grants": [*grants, world.grant(random, "receive", fresh)]},
        {"recusals": recusals[1:]},
        {"recusals": [*recusals, world.recusal(random, cases, fresh)]},
        {"rounds": [{**round_, **ENDED} for round_ in policy["rounds"]]},
    )
    return registered({**policy, **random.choice(changes)})


def said(records: Sequence[Json], n: int, **members: Any) -> list[Json]:
    """The records with other members in the n-th."""
    return [*records[:n], {**records[n], **members}, *records[n + 1 :]]


def registered(policy: Mapping[str, list[Json]]) -> Policy:
    """The policy without what names an agency that is struck off."""
    ids = {record["id"] for record in policy["agencies"]}
    known = {
        part: [held for held in policy[part] if held.get("agency") in {None, *ids}]
        for part in ("grants", "recusals")
    }
    agencies = [
        {k: v for k, v in record.items() if k != "successor" or v in ids}
        for record in policy["agencies"]
    ]
    return {**policy, **known, "agencies": agencies}
