"""The doors that are topics of Kafka, for as long as a process serves; nothing of it without them.

HTTP is served whether or not the brokers can be reached.
"""

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.app.ground import microseconds_now
from hub.app.parts import Hub
from hub.errors import KafkaAddress, KafkaLogin, KafkaMissing
from hub.intake.kafkadoor import KafkaDoor
from hub.settings import Settings
from hub.web.events import result_of

_BROKERS: Final = re.compile(r"[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Doors:
    """What is done beside the process's own works, and what is missing for it at the moment."""

    works: Callable[[], Sequence[Coroutine[Any, Any, None]]]
    missing: Callable[[], Sequence[str]]


def kafka_doors(hub: Hub) -> Doors:
    """The doors of a hub; none where no brokers are set.

    Raises KafkaMissing, KafkaAddress, KafkaLogin, or OSError for certificates that cannot be read.
    """
    ground = hub.ground
    if ground.settings.kafka is None:
        return Doors(works=lambda: (), missing=lambda: ())
    try:
        # Whoever has no Kafka needs no client for it.
        from hub.intake.kafkasessions import KafkaSessions
    except ModuleNotFoundError as absent:
        raise KafkaMissing from absent
    # It tells in a line a second what a session tells once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    sessions = KafkaSessions(
        access_of(ground.settings),
        door=_door(hub),
        metrics=ground.metrics,
        log=ground.log,
        sleep=asyncio.sleep,
        clock=microseconds_now,
        monotonic=time.monotonic,
    )
    return Doors(
        works=lambda: (sessions.run(),),
        missing=lambda: () if sessions.connected else ("kafka",),
    )


def access_of(settings: Settings) -> dict[str, Any]:
    """How aiokafka's clients reach the brokers that are set. Raises what `kafka_doors` does."""
    if not _BROKERS.fullmatch(settings.kafka or ""):
        raise KafkaAddress
    user, password, ca = settings.kafka_user, settings.kafka_password, settings.kafka_ca
    if (user is None) != (password is None):
        raise KafkaLogin
    access: dict[str, Any] = {"bootstrap_servers": settings.kafka, "client_id": "guantong"}
    protocol = "PLAINTEXT" if ca is None else "SSL"
    if ca is not None:
        access["ssl_context"] = ssl.create_default_context(cafile=str(ca))
    if user is not None and password is not None:
        protocol = f"SASL_{protocol}"
        access["sasl_mechanism"] = "SCRAM-SHA-512"
        access["sasl_plain_username"] = user
        access["sasl_plain_password"] = password.get_secret_value()
    return {**access, "security_protocol": protocol}


def _door(hub: Hub) -> KafkaDoor:
    return KafkaDoor(
        intake=hub.intake,
        limits=hub.limits,
        shares=hub.shares,
        accounts=hub.accounts,
        told=result_of,
        version=lambda: hub.current.version,
        patience=hub.ground.patience,
    )
