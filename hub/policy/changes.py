"""Changing the policy: as a whole, from exactly the version that was read, by whom it may be."""

from dataclasses import dataclass, replace

from contracts.catalogue import Catalogue
from contracts.region import Regions
from hub.database.access import change_access
from hub.database.connection import Connection
from hub.errors import Forbidden, Invalid, PolicyChanged
from hub.policy import sql
from hub.policy.acts import record_act
from hub.policy.document import PolicyDocument, faults_in
from hub.policy.policy import Policies, Policy, Written, etag
from hub.policy.tokens import Caller


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy to put in force instead of the one that `if_match` names, ready for decisions."""

    ready: Policy
    if_match: str
    reason: str

    @property
    def document(self) -> PolicyDocument:
        """The policy as written."""
        return self.ready.document


def prepare(
    document: PolicyDocument, *, policies: Policies, catalogue: Catalogue, regions: Regions
) -> Policy:
    """Check a document and index it for decisions: most of a change's work, before its turn to
    write. Its version is not known yet. Raises Invalid.
    """
    faults = faults_in(document, catalogue, regions)
    if faults:
        raise Invalid(faults=faults)
    return policies.compile(0, document)


def apply(
    connection: Connection, change: PolicyChange, *, policies: Policies, caller: Caller, now: int
) -> Policy:
    """Put a policy in force; the same document again changes nothing.

    Raises PolicyChanged when it is no longer the version read, or Forbidden when a part changes
    that the caller's roles do not cover.
    """
    change_access(connection)
    standing = permit(connection, change, policies=policies, caller=caller)
    if change.ready.written == standing.written:
        return standing
    policy = replace(change.ready, version=standing.version + 1)
    sql.append_version(
        connection,
        version=policy.version,
        document=policy.written.text,
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
    policies.expect((policy.version, now), policy)
    return policy


def permit(
    connection: Connection, change: PolicyChange, *, policies: Policies, caller: Caller
) -> Policy:
    """The standing policy, which the caller may replace by this one. Raises as `apply`."""
    standing = policies.seen_by(connection)
    if change.if_match not in ("*", etag(standing)):
        raise PolicyChanged
    _refuse_unfit_roles(standing.written, change.ready.written, caller)
    return standing


def _refuse_unfit_roles(old: Written, new: Written, caller: Caller) -> None:
    if old.agencies != new.agencies and "system" not in caller.roles:
        raise Forbidden("修改机构需要 system 角色 / changing agencies needs the role system")
    if old.rights != new.rights and "security" not in caller.roles:
        raise Forbidden(
            "修改授权或回避需要 security 角色 / changing grants needs the role security"
        )
