"""What to do next with an acknowledgement that has not succeeded yet; pure decisions.

Discord's rules (API v10, "Receiving and Responding"): a callback must arrive within 3 s of the
event; code 10062 says that it came too late or not at all, 40060 that there was one already. Since
a lost connection leaves open whether the callback arrived, 40060 counts as success.
"""

from dataclasses import dataclass

WINDOW_SECONDS = 2.5
"""From arrival to the last moment at which we try; the rest of the 3 s is the way to Discord."""

HEDGE_SECONDS = 0.9
"""A request unanswered for so long gets a second one beside it: its connection may be dead."""

_PAUSES_SECONDS = (0.0, 0.05, 0.2, 0.5)
"""Before the first, second, … repetition; the last one repeats."""

_UNKNOWN_INTERACTION = 10062
_ALREADY_ACKNOWLEDGED = 40060
_SERVER_ERROR = 500
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Discord has the acknowledgement."""


@dataclass(frozen=True, slots=True)
class Again:
    """It may succeed later: in `after` seconds, or where that is None by our own pauses."""

    cause: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing helps; `cause` is the metrics' label."""

    cause: str


type Verdict = Acknowledged | Again | Lost


def judge(status: int, code: int, retry_after: float | None) -> Verdict:
    """Decide by Discord's answer: HTTP status, JSON error code, seconds of a 429."""
    if 200 <= status < 300 or code == _ALREADY_ACKNOWLEDGED:  # noqa: PLR2004 -- HTTP's success class
        return Acknowledged()
    if status == _TOO_MANY:
        return Again("rate_limited", after=retry_after)
    if status >= _SERVER_ERROR:
        return Again("server_error")
    if code == _UNKNOWN_INTERACTION:
        return Lost("unknown_interaction")
    return Lost("refused")


def pause_before(repetition: int) -> float:
    """Return the seconds before the first (1), second, … repetition."""
    return _PAUSES_SECONDS[min(repetition - 1, len(_PAUSES_SECONDS) - 1)]
