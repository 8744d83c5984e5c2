"""The relay's metrics."""

from prometheus_client import Counter, Gauge

PENDING = Gauge("octopus_outbox_pending", "Messages that the broker has not confirmed yet.")
OLDEST = Gauge("octopus_outbox_oldest_seconds", "Age of the oldest of them, 0 if there is none.")
PUBLISHED = Counter("octopus_relay_published_total", "Messages confirmed by the broker.")
ERRORS = Counter("octopus_relay_errors_total", "Failures that made the relay pause.")
