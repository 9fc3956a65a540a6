"""Numbers for Prometheus, in a registry of this run. Names begin with `parley_`; times are seconds."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters, histograms and gauges, made at first use: `metrics.count("inbound", channel="whatsapp_cloud")`.

    prometheus_client is imported with the first number, so that the command line does not pay for it.
    """

    def __init__(self) -> None:
        self.registry: Any = None
        self.known: dict[str, Any] = {}
        self.watched: dict[str, Callable[[], float]] = {}

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        counter: Counter = self._get("Counter", name, labels)
        (counter.labels(**labels) if labels else counter).inc(by)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        histogram: Histogram = self._get("Histogram", f"{name}_seconds", labels, buckets=BUCKETS)
        (histogram.labels(**labels) if labels else histogram).observe(seconds)

    def set(self, name: str, value: float, **labels: str) -> None:
        gauge: Gauge = self._get("Gauge", name, labels)
        (gauge.labels(**labels) if labels else gauge).set(value)

    def watch(self, name: str, read: Callable[[], float]) -> None:
        """A gauge asked when somebody reads the numbers."""
        self.watched[name] = read

    def count_request(self, method: str, status: int) -> None:
        """`method` and class of status only: addresses would make a series each."""
        known = method if method in ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE") else "other"
        self.count("http_requests", method=known, status=f"{status // 100}xx" if status else "none")

    def page(self) -> tuple[bytes, str]:
        """Body and content type for `/metrics`."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        for name, read in self.watched.items():
            gauge: Gauge = self._get("Gauge", name, ())
            gauge.set_function(read)
        self._registry()
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _get(self, kind: str, name: str, labels: Iterable[str], **options: Any) -> Any:
        found = self.known.get(name)
        if found is None:
            import prometheus_client

            make = getattr(prometheus_client, kind)
            text = name.replace("_", " ").capitalize()
            found = make(f"parley_{name}", text, tuple(labels), registry=self._registry(), **options)
            self.known[name] = found
        return found

    def _registry(self) -> Any:
        if self.registry is None:
            from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

            self.registry = CollectorRegistry()
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
        return self.registry
