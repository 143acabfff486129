"""Kafka's brokers as one process knows them: how they are reached, whether they answer, what they
hold; nothing of it where none are set.
"""

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from contracts.catalogue import load_catalogue
from hub.app.ground import Ground
from hub.backbone.records import topic_of
from hub.errors import HubError, KafkaAddress, KafkaLogin, KafkaMissing
from hub.settings import Settings
from hub.upkeep.brokers import judge_answer, judge_away, judge_topics
from hub.upkeep.finding import Finding

if TYPE_CHECKING:
    from hub.watch.kafka import Reach

_BROKERS: Final = re.compile(r"[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*", re.ASCII)
# Between two looks whether they answer.
LOOK_SECONDS: Final = 1.0
# What aiokafka itself rests for between tries of other kinds.
RETRY_SECONDS: Final = 0.1
NAME: Final = "kafka"


@dataclass(frozen=True, slots=True)
class Brokers:
    """What is done beside a process's own works; what keeps the brokers from it at the moment;
    whether that explains what a client met; what the doctor finds.
    """

    works: Callable[[], Sequence[Coroutine[Any, Any, None]]]
    lack: Callable[[], type[HubError] | None]
    explains: Callable[[BaseException], Awaitable[bool]]
    examine: Callable[[], Awaitable[list[Finding]]]

    def missing(self, *parts: Callable[[], bool]) -> Callable[[], Mapping[str, str]]:
        """What tells that the brokers are missing, and as far as is known why: where they do not
        answer, or do not let in all these parts of the process.
        """

        def missing() -> Mapping[str, str]:
            lack = self.lack()
            if lack is not None:
                return {NAME: " / ".join(lack.titles())}
            return {} if all(part() for part in parts) else {NAME: ""}

        return missing


def brokers_of(ground: Ground) -> Brokers:
    """The brokers that the settings name. Raises KafkaMissing, and what `access_of` does."""
    if ground.settings.kafka is None:
        return NO_BROKERS
    try:
        # Whoever has no Kafka needs no client for it.
        from hub.kafka import ask_beside
        from hub.watch.kafka import Reach
    except ModuleNotFoundError as absent:
        raise KafkaMissing from absent
    ask_beside(lambda: asyncio.sleep(RETRY_SECONDS))
    # Each client tells in several lines a second what is told here once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    reach = Reach(
        access_of(ground.settings),
        metrics=ground.metrics.kafka,
        log=ground.log,
        pause=lambda: asyncio.sleep(LOOK_SECONDS),
        monotonic=time.monotonic,
    )
    return Brokers(
        works=lambda: (reach.run(),),
        lack=lambda: reach.lack,
        explains=reach.explains,
        examine=partial(_examined, reach, ground.settings),
    )


async def _examined(reach: "Reach", settings: Settings) -> list[Finding]:
    lack = await reach.look()
    if lack is not None:
        return [judge_away(lack)]
    if settings.backbone == "sql":
        return [judge_answer()]
    wanted = topics()
    try:
        found = await reach.partitions(wanted)
    except HubError as away:
        return [judge_away(type(away))]
    return [judge_topics(found, wanted, partitions=settings.kafka_partitions)]


def topics() -> list[str]:
    """Those of the backbone, one for each family of contracts."""
    catalogue = load_catalogue()
    return sorted({topic_of(contract.type.partition(".")[0]) for contract in catalogue})


async def _not_at_all(_error: BaseException) -> bool:
    return False


async def _nothing() -> list[Finding]:
    return []


NO_BROKERS: Final = Brokers(
    works=lambda: (), lack=lambda: None, explains=_not_at_all, examine=_nothing
)


def access_of(settings: Settings) -> dict[str, Any]:
    """How aiokafka's clients reach the brokers that are set.

    Raises KafkaAddress, KafkaLogin, or OSError for certificates that cannot be read.
    """
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
