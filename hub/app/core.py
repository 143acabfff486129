"""The core of a hub: what its backbone and its other parts share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts.catalogue import load_catalogue
from hub.app.ground import Ground, microseconds_now
from hub.database.keys import keys_of
from hub.database.news import News
from hub.delivery.arrivals import Arrivals
from hub.event import Marking
from hub.journal.register import Registrar, Registration
from hub.metrics import Metrics
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies


@dataclass(frozen=True, slots=True)
class Core:
    """Made before the other parts. `tell` tells other processes the news."""

    keys: Mapping[str, bytes]
    policies: Policies
    registrar: Registrar
    arrivals: Arrivals
    tell: Callable[[News], None]
    metrics: Metrics

    def registered(self, registration: Registration) -> None:
        """A registration has been committed."""
        self.arrivals.announce(registration.touched)
        self.metrics.registered(strangers=registration.strangers)


async def core_of(
    ground: Ground, *, epoch: Callable[[], int], tell: Callable[[News], None]
) -> Core:
    """The core of a hub that registers under an epoch."""
    keys = await ground.readers.run(keys_of)
    policies = Policies(
        catalogue=load_catalogue(),
        regions=ground.codes.regions(),
        codes=ground.codes,
        marks=PartyMarks(keys["parties"]),
        ceiling=Marking[ground.settings.ceiling],
    )
    return Core(
        keys=keys,
        policies=policies,
        registrar=Registrar(policies=policies, clock=microseconds_now, epoch=epoch),
        arrivals=Arrivals(elsewhere=lambda those: tell(News(subscriptions=frozenset(those)))),
        tell=tell,
        metrics=ground.metrics,
    )
