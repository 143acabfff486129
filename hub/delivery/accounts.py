"""What is counted and logged of what was handed over, by whichever channel."""

from collections.abc import Sequence

from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from hub.delivery.dispatch import AFTER
from hub.delivery.pull import Pulled
from hub.event import shown
from hub.journal.subscriptions import Channel, Subscription
from hub.metrics import Metrics


class Accounts:
    """Keeps the accounts of a process's deliveries."""

    def __init__(
        self, *, catalogue: Catalogue, metrics: Metrics, log: FilteringBoundLogger
    ) -> None:
        self._catalogue = catalogue
        self._metrics = metrics
        self._log = log

    def note(
        self, pulled: Pulled, *, channel: Channel, token: int, delivered: int, views: int
    ) -> None:
        """So many events of a page were handed over, so many with fields withheld."""
        page, subscription = pulled.page, pulled.subscription
        self._metrics.handed_over(
            agency=subscription.agency,
            channel=channel,
            delivered=delivered,
            views=views,
            denied=page.denied,
            seconds=pulled.seconds,
        )
        if delivered or page.denied:
            self._log.info(
                "events.delivered",
                caller=subscription.agency,
                subscription=subscription.id,
                channel=channel,
                delivered=delivered,
                views=views,
                denied=dict(page.denied),
                policy=page.policy,
                token=token,
                seconds=round(pulled.seconds, 6),
            )

    def parked(self, subscription: Subscription, position: int, *, channel: Channel) -> None:
        """An event was larger than its channel takes."""
        self._metrics.kept_back(agency=subscription.agency, channel=channel, step=AFTER)
        self._log.warning(
            "event.too_large",
            caller=subscription.agency,
            subscription=subscription.id,
            channel=channel,
            position=shown(position),
        )

    def retiring(self, pulled: Pulled, *, channel: Channel) -> Sequence[Contract]:
        """The pinned versions that are to be retired; counted as used, if anything was read."""
        pins, agency = pulled.subscription.pins, pulled.subscription.agency
        used = [c for c in self._catalogue.retiring.values() if pins.get(c.type) == c.version]
        if pulled.page.events:
            for c in used:
                self._metrics.used_retiring(
                    agency=agency, type_=c.type, version=c.version, use=channel
                )
        return used
