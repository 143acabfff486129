"""Making, changing and ending subscriptions, and committing their cursors: works for the writer."""

import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from pydantic import BaseModel, ValidationError

from contracts.catalogue import Catalogue
from contracts.envelope import VIEWED, moment_of
from contracts.faults import Fault, faults_from
from contracts.region import Regions
from hub.database import appending
from hub.database.connection import Connection
from hub.database.order import SUBSCRIPTIONS, change_dead_letters, change_subscriptions
from hub.errors import Conflict, Invalid, NotFound
from hub.event import microseconds, pack
from hub.journal import sql
from hub.journal.register import REMOVING, SHARD
from hub.journal.retention.places import place_before
from hub.journal.retention.replay import place_since
from hub.journal.subscriptions import (
    PULL_ALONE,
    Body,
    Change,
    Channel,
    Subscription,
    asked_of,
    from_row,
)
from hub.policy.acts import Act, Actor, record_act

# What these works may take: whoever makes, changes or ends one, whoever moves a cursor.
CHANGING: Final = REMOVING
MOVING: Final = (SUBSCRIPTIONS,)
# Kafka tells '.' and '_' apart in the names of topics, and not in those of its metrics.
_IN_TOPICS: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def parse(raw: bytes) -> Body:
    """A subscription's body from JSON. Raises Invalid with every fault."""
    try:
        return Body.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise _invalid(error) from None


def parse_change(raw: bytes) -> Change:
    """A change from JSON. Raises Invalid with every fault."""
    try:
        return Change.model_validate_json(raw)
    except ValidationError as error:
        raise _invalid(error) from None


def create(
    connection: Connection,
    agency: str,
    body: Body,
    *,
    catalogue: Catalogue,
    regions: Regions,
    by: Actor,
    now: int,
    most: int,
    channels: Collection[Channel] = PULL_ALONE,
) -> tuple[Subscription, bool]:
    """Make a subscription; whether it is new. The same id and body again is the one that stands.

    `channels` are those that this hub has. Raises Invalid, or Conflict for the same id with another
    body.
    """
    _refuse((*_faults(body, catalogue, regions), *_faults_of_channel(body, channels)))
    id_ = body.id or f"sub-{secrets.token_hex(6)}"
    body = body.model_copy(update={"id": id_})
    appending.take_turn(connection, SHARD)
    standing = sql.subscription(connection, agency, id_)
    if standing is not None:
        found = from_row(standing)
        if found.body != body:
            raise Conflict("同编号的订阅已存在且内容不同 / this id stands for another subscription")
        return found, False
    if sql.count_subscriptions(connection, agency) >= most:
        raise Conflict(f"每个机构最多 {most} 个订阅 / at most {most} subscriptions an agency")
    head = pack(SHARD, appending.head(connection, SHARD).next_number - 1)
    start = _start(connection, body.start, head)
    sql.insert_subscription(
        connection,
        {
            "agency": agency,
            "id": id_,
            "body": body.model_dump_json(),
            "pins": json.dumps(_pins(body, catalogue)),
            "start": start,
            "committed": start,
            "filled": start,
            "fill_until": head,
            "created_at": now,
        },
    )
    made = _standing(connection, agency, id_)
    _record(connection, "subscription.made", made, by=by, now=now)
    return made, True


def change(
    connection: Connection,
    agency: str,
    id_: str,
    change: Change,
    *,
    catalogue: Catalogue,
    regions: Regions,
    by: Actor,
    now: int,
) -> Subscription:
    """Change what a subscription asks for, from the next event on. Raises NotFound or Invalid."""
    appending.take_turn(connection, SHARD)
    change_subscriptions(connection)
    standing = _standing(connection, agency, id_)
    given = {name: getattr(change, name) for name in change.model_fields_set}
    body = standing.body.model_copy(update={k: v for k, v in given.items() if v is not None})
    _refuse(_faults(body, catalogue, regions))
    pins = {**_pins(body, catalogue), **standing.pins, **(change.versions or {})}
    sql.change_subscription(
        connection, standing.number, body=body.model_dump_json(), pins=json.dumps(pins)
    )
    changed = _standing(connection, agency, id_)
    _record(connection, "subscription.changed", changed, by=by, now=now)
    return changed


def end(connection: Connection, agency: str, id_: str, *, by: Actor, now: int) -> int:
    """Remove a subscription, its feed and cursor; its number. Raises NotFound."""
    appending.take_turn(connection, SHARD)
    change_subscriptions(connection)
    change_dead_letters(connection)
    standing = _standing(connection, agency, id_)
    sql.delete_subscription(connection, standing.number)
    _record(connection, "subscription.ended", standing, by=by, now=now)
    return standing.number


def commit(
    connection: Connection, agency: str, id_: str, *, number: int, position: int
) -> Subscription:
    """Commit a cursor of the subscription `number`; an older one changes nothing.

    Raises NotFound, also when another subscription has taken its id meanwhile, or Conflict where
    the hub itself moves the cursor.
    """
    change_subscriptions(connection)
    standing = _standing(connection, agency, id_)
    if standing.number != number:
        raise NotFound
    if standing.body.delivery.channel == "kafka":
        raise Conflict(
            "该订阅由贯通写入 Kafka，游标由贯通提交；要重新得到，请用 since"
            " / the hub writes this one to Kafka and moves its cursor: to have it again, use since"
        )
    sql.commit_cursor(connection, number, position)
    return _standing(connection, agency, id_)


def advance(connection: Connection, number: int, *, after: int, position: int) -> bool:
    """Commit the cursor of a subscription that the hub itself feeds, from `after` on.

    False, and nothing changed, where it stands elsewhere by now: it was replayed, or fed by another
    process, or has been ended.
    """
    change_subscriptions(connection)
    return sql.move_cursor(connection, number, after=after, position=position)


def replay(connection: Connection, agency: str, id_: str, *, since: int) -> Subscription:
    """Put the cursor before what was registered at a hubtime or later. Raises NotFound.

    Raises CursorExpired when some of that has been purged, as `place_since` says.
    """
    change_subscriptions(connection)
    standing = _standing(connection, agency, id_)
    sql.set_cursor(connection, standing.number, place_since(connection, standing, since))
    return _standing(connection, agency, id_)


def _start(connection: Connection, asked: str, head: int) -> int:
    match asked:
        case "now":
            return head
        case "earliest":
            return 0
        case time:
            return place_before(connection, microseconds(moment_of(time)))


def _standing(connection: Connection, agency: str, id_: str) -> Subscription:
    row = sql.subscription(connection, agency, id_)
    if row is None:
        raise NotFound
    return from_row(row)


def _record(
    connection: Connection, act: Act, subscription: Subscription, *, by: Actor, now: int
) -> None:
    """What was asked for at a moment is read from the record when the subscription is no more."""
    record_act(
        connection,
        act,
        by=by,
        subject=f"{subscription.agency}/{subscription.id}",
        detail={
            "number": subscription.number,
            "body": subscription.body.model_dump(mode="json"),
            "pins": dict(subscription.pins),
        },
        now=now,
    )


def _pins(body: Body, catalogue: Catalogue) -> dict[str, str]:
    """The version of each type: as asked for, else the newest of today."""
    types = {type_ for pattern in body.types for type_ in catalogue.types(pattern)}
    newest = {type_: catalogue.versions(type_)[-1].version for type_ in sorted(types)}
    return {**newest, **body.versions}


def _refuse(faults: Iterable[Fault]) -> None:
    found = tuple(faults)
    if found:
        raise Invalid(faults=found)


def _faults_of_channel(body: Body, channels: Collection[Channel]) -> Iterator[Fault]:
    channel = body.delivery.channel
    if channel not in channels:
        yield Fault(
            "channel_unavailable",
            "/delivery/channel",
            "本节点没有这一渠道，请用 pull 或联系管理员",
            "this hub has no such channel: use pull, or ask the administrator",
        )
    if channel == "kafka" and body.id is not None and not _IN_TOPICS.fullmatch(body.id):
        yield Fault(
            "id_format",
            "/id",
            "渠道为 kafka 的订阅编号是主题名的一部分，只用字母、数字和连字符",
            "with the channel kafka an id is part of a topic's name: letters, digits and hyphens",
        )


def _faults(body: Body, catalogue: Catalogue, regions: Regions) -> Iterator[Fault]:
    for n, pattern in enumerate(body.types):
        if pattern != "*" and not catalogue.types(pattern):
            yield Fault(
                "type_unknown",
                f"/types/{n}",
                "没有这样的事件类型；通配只能写 * 或 <族>.*",
                "no such event type; wildcards are * and <family>.* only",
            )
    if body.region is not None and not regions.known(body.region):
        yield Fault("region_unknown", "/region", "行政区划代码不存在", "not a region code in force")
    for n, filter_ in enumerate(body.filters):
        if not asked_of(filter_) <= VIEWED:
            yield Fault(
                "filter_attribute",
                f"/filters/{n}",
                "只能按各方可见的标准属性筛选",
                "filters may ask for the attributes that every view carries, and no others",
            )
    for type_, version in body.versions.items():
        if catalogue.find(type_, version) is None:
            yield Fault(
                "version_unknown", "/versions", "没有这样的契约版本", "no such contract version"
            )


def _invalid(error: ValidationError) -> Invalid:
    found = error.errors(include_url=False, include_input=False)
    return Invalid(faults=faults_from(found, _DECLARED, root=""))


def _names(*models: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for model in models for name in model.model_fields)


_DECLARED = _names(Body, Change) | {"delivery", "channel", "exact", "prefix", "all"}
