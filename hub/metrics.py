"""Every metric, named and explained once.

Labels are agency (registered ones only), family and code (from closed sets) and channel; nothing
per subscription or event, so that the number of series stays bounded.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from hub.event import Accepted, Duplicate, Outcome, Rejected

# Why a request has no caller; `limited` was not even looked at.
NoCaller = Literal["missing", "malformed", "unknown", "expired", "revoked", "limited"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """The hub's metrics in a registry of their own."""

    def __init__(self, *, version: str, sqlite: str) -> None:
        self.registry = CollectorRegistry()
        self._accepted = self._counter("events_accepted", "events accepted", "agency", "family")
        self._duplicate = self._counter(
            "events_duplicate", "known events sent again", "agency", "family"
        )
        self._refused = self._counter(
            "events_refused", "refused events, by first error", "agency", "code"
        )
        self._batch = self._histogram("batch_events", "events in one request", _SIZES)
        self._admission = self._histogram("admission_seconds", "from request to answer", _SECONDS)
        self._commit = self._histogram("commit_seconds", "one transaction of the writer", _SECONDS)
        self._group = self._histogram("commit_works", "works that one transaction took", _SIZES)
        self._failed = self._counter("writes_failed", "works that failed on storage")
        self._delivered = self._counter(
            "events_delivered", "events handed over", "agency", "channel"
        )
        self._views = self._counter(
            "views_delivered", "events handed over with fields withheld", "agency", "channel"
        )
        self._denied = self._counter(
            "events_denied",
            "feed entries not handed over, by the step that said so",
            "agency",
            "step",
        )
        self._pull = self._histogram(
            "pull_seconds", "one page of a pull, without waiting", _SECONDS
        )
        self._strangers = self._counter(
            "parties_unmatched", "parties of events whom no registered agency is", "family"
        )
        self._unauthenticated = self._counter(
            "requests_unauthenticated",
            "requests without a valid token, by what was wrong",
            "reason",
        )
        self._expiring = Gauge(
            "guantong_tokens_expiring",
            "tokens that end within 14 days and have not been replaced",
            registry=self.registry,
        )
        self._errors = self._counter("errors", "requests that failed by a fault of the hub")
        self._silent = self._gauge(
            "silence_silent", "1: an agency with a usual rhythm has fallen silent", "agency"
        )
        self._expected = self._gauge(
            "silence_expected_events", "events usual since the agency last spoke", "agency"
        )
        self._away = self._gauge(
            "silence_away_provinces", "provinces most of whose agencies are away together"
        )
        self._build = Info("guantong_build", "what runs", registry=self.registry)
        self._build.info({"version": version, "sqlite": sqlite})

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Show how many works wait for the writer."""
        gauge = Gauge(
            "guantong_writer_queue", "works that wait for the writer", registry=self.registry
        )
        gauge.set_function(depth)

    def admitted(self, outcomes: Iterable[Outcome], *, agency: str, seconds: float) -> None:
        """A request was answered, with these outcomes."""
        tally: Tally[tuple[Counter, str]] = Tally()
        events = 0
        for outcome in outcomes:
            events += 1
            match outcome:
                case Accepted(receipt=receipt):
                    tally[self._accepted, receipt.type.partition(".")[0]] += 1
                case Duplicate(receipt=receipt):
                    tally[self._duplicate, receipt.type.partition(".")[0]] += 1
                case Rejected(faults=faults):
                    tally[self._refused, faults[0].code] += 1
        for (counter, label), count in tally.items():
            counter.labels(agency, label).inc(count)
        self._batch.observe(events)
        self._admission.observe(seconds)

    def registered(self, *, strangers: Tally[str]) -> None:
        """Events were registered; parties of theirs, by family, are no registered agency."""
        for family, count in strangers.items():
            self._strangers.labels(family).inc(count)

    def committed(self, *, works: int, seconds: float) -> None:
        """The writer committed a transaction."""
        self._commit.observe(seconds)
        self._group.observe(works)

    def write_failed(self, *, works: int) -> None:
        """The writer could not carry out works."""
        self._failed.inc(works)

    def pulled(
        self, *, agency: str, delivered: int, views: int, denied: Tally[int], seconds: float
    ) -> None:
        """A page of a pull was handed over."""
        self._delivered.labels(agency, "pull").inc(delivered)
        self._views.labels(agency, "pull").inc(views)
        for step, count in denied.items():
            self._denied.labels(agency, str(step)).inc(count)
        self._pull.observe(seconds)

    def silence(self, agencies: Mapping[str, tuple[bool, float]], *, provinces: int) -> None:
        """Of the agencies that have a rhythm: whether each is silent, and how much is expected."""
        self._silent.clear()
        self._expected.clear()
        for agency, (silent, expected) in agencies.items():
            self._silent.labels(agency).set(silent)
            self._expected.labels(agency).set(expected)
        self._away.set(provinces)

    def duplicates(self) -> Tally[str]:
        """Known events sent again since the start, by agency."""
        tally: Tally[str] = Tally()
        for family in self._duplicate.collect():
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    tally[sample.labels["agency"]] += int(sample.value)
        return tally

    def unauthenticated(self, reason: NoCaller) -> None:
        """A request came without a valid token."""
        self._unauthenticated.labels(reason).inc()

    def expiring(self, tokens: int) -> None:
        """So many tokens near their end without another to take their place."""
        self._expiring.set(tokens)

    def erred(self) -> None:
        """A request failed by a fault of the hub."""
        self._errors.inc()

    def exposition(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"guantong_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"guantong_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"guantong_{name}", meaning, buckets=buckets, registry=self.registry)
