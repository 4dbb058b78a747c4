"""What the bot measures of itself, as Prometheus metrics."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_ACK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 1.5, 2, 2.5, 3)
_AUDIO_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.6, 1, 2, 5, 10, 20)
_GAP_BUCKETS = (0.005, 0.02, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_DELAY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1)


class Metrics:
    """The bot's counters and histograms, in a registry of their own; times are in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._acknowledged = Histogram(
            "bot_interaction_ack_seconds",
            "From the arrival of an interaction to its acknowledgement by Discord",
            buckets=_ACK_BUCKETS,
            registry=self.registry,
        )
        self._missed = Counter(
            "bot_interaction_missed_total",
            "Interactions that could not be acknowledged, by cause",
            ["cause"],
            registry=self.registry,
        )
        self._first_audio = Histogram(
            "bot_first_audio_seconds",
            "From a play command to the start of its track",
            buckets=_AUDIO_BUCKETS,
            registry=self.registry,
        )
        self._gap = Histogram(
            "bot_track_gap_seconds",
            "Silence between the end of a track and the start of the next",
            buckets=_GAP_BUCKETS,
            registry=self.registry,
        )
        self._failures = Counter(
            "bot_track_failures_total",
            "Tracks that could not be played, by source",
            ["source"],
            registry=self.registry,
        )
        self._delay = Histogram(
            "bot_loop_delay_seconds",
            "How late the event loop runs what is due",
            buckets=_DELAY_BUCKETS,
            registry=self.registry,
        )

    def interaction_acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement that arrived in time."""
        self._acknowledged.observe(seconds)

    def interaction_missed(self, cause: str) -> None:
        """Count an interaction whose member read "This interaction failed"."""
        self._missed.labels(cause).inc()

    def first_audio(self, seconds: float) -> None:
        """Record how long a member waited for sound."""
        self._first_audio.observe(seconds)

    def track_gap(self, seconds: float) -> None:
        """Record the silence between two tracks."""
        self._gap.observe(seconds)

    def track_failed(self, source: str) -> None:
        """Count a track that could not be played."""
        self._failures.labels(source).inc()

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Add a value that is read whenever the metrics are asked for."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def render(self) -> bytes:
        """Return the text format that Prometheus reads."""
        return generate_latest(self.registry)

    async def watch_loop(self, every: float = 0.1) -> None:
        """Measure the event loop's delay until cancelled; `every` is in seconds."""
        while True:
            due = time.monotonic() + every
            await asyncio.sleep(every)
            self._delay.observe(max(0.0, time.monotonic() - due))
