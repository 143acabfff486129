"""Changing the policy: as a whole, from exactly the version that was read, by whom it may be."""

from dataclasses import dataclass

from contracts.catalogue import Catalogue
from contracts.region import Regions
from hub.database.connection import Connection
from hub.errors import Forbidden, Invalid, PolicyChanged
from hub.policy import sql
from hub.policy.acts import record_act
from hub.policy.document import PolicyDocument, faults_in
from hub.policy.policy import Policies, Policy, etag
from hub.policy.tokens import Caller


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy to put in force instead of the one that `if_match` names."""

    document: PolicyDocument
    if_match: str
    reason: str


def apply(
    connection: Connection,
    change: PolicyChange,
    *,
    policies: Policies,
    caller: Caller,
    catalogue: Catalogue,
    regions: Regions,
    now: int,
) -> Policy:
    """Put a policy in force; the same document again changes nothing.

    Raises PolicyChanged when it is no longer the version read, Invalid, or Forbidden when a part
    changes that the caller's roles do not cover.
    """
    standing = policies.seen_by(connection)
    if change.if_match not in ("*", etag(standing)):
        raise PolicyChanged
    faults = faults_in(change.document, catalogue, regions)
    if faults:
        raise Invalid(faults=faults)
    _refuse_unfit_roles(standing.document, change.document, caller)
    if change.document == standing.document:
        return standing
    sql.append_version(
        connection,
        version=standing.version + 1,
        document=change.document,
        by=f"{caller.name}#{caller.token}",
        reason=change.reason,
        now=now,
    )
    record_act(
        connection,
        "policy.applied",
        by=caller.actor,
        subject="policy",
        detail={
            "version": standing.version + 1,
            "reason": change.reason,
            "agencies": len(change.document.agencies),
            "grants": len(change.document.grants),
            "recusals": len(change.document.recusals),
        },
        now=now,
    )
    return policies.seen_by(connection)


def _refuse_unfit_roles(old: PolicyDocument, new: PolicyDocument, caller: Caller) -> None:
    if old.agencies != new.agencies and "system" not in caller.roles:
        raise Forbidden("修改机构需要 system 角色 / changing agencies needs the role system")
    rights_changed = (old.grants, old.recusals, old.rounds) != (
        new.grants,
        new.recusals,
        new.rounds,
    )
    if rights_changed and "security" not in caller.roles:
        raise Forbidden(
            "修改授权或回避需要 security 角色 / changing grants needs the role security"
        )
