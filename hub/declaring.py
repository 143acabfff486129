"""How metrics are declared: each with its name, kind, labels and meaning, in one registry."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric as it is documented: the name that is shown, its kind, labels and meaning."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Declaring:
    """Metrics that are declared in a registry; `declared` lists them."""

    def __init__(self, registry: CollectorRegistry, declared: list[Declared]) -> None:
        self.registry = registry
        self.declared = declared

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self._declare(f"{name}_total", "counter", labels, meaning)
        return Counter(f"guantong_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self._declare(name, "gauge", labels, meaning)
        return Gauge(f"guantong_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        self._declare(name, "histogram", (), meaning)
        return Histogram(f"guantong_{name}", meaning, buckets=buckets, registry=self.registry)

    def _declare(self, name: str, kind: str, labels: tuple[str, ...], meaning: str) -> None:
        self.declared.append(Declared(f"guantong_{name}", kind, labels, meaning))
