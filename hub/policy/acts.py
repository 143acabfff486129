"""The record of administrative acts: append-only, and written in the transaction of the act."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.database.connection import Connection
from hub.policy import sql

Act = Literal[
    "policy.applied",
    "subscription.changed",
    "subscription.ended",
    "subscription.made",
    "token.issued",
    "token.replaced",
    "token.revoked",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an agency or roles, by name, and the number of the token that was shown.

    What the hub does by itself it does without a token.
    """

    name: str
    token: int | None


THE_HUB: Final = Actor("hub", None)


def record_act(
    connection: Connection,
    act: Act,
    *,
    by: Actor,
    subject: str,
    detail: Mapping[str, Any],
    now: int,
) -> None:
    """Keep that an act was done to a subject.

    `detail` holds numbers, ids, counts, reasons and what a subscription asks for: never a token,
    nor anything of an event.
    """
    sql.insert_act(
        connection,
        at=now,
        caller=by.name,
        token=by.token,
        act=act,
        subject=subject,
        detail=json.dumps(detail, ensure_ascii=False),
    )
