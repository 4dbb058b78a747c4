"""What to do when Discord's voice server closes the websocket: one table, and a limit to trying.

Meanings: https://discord.com/developers/docs/topics/opcodes-and-status-codes#voice
"""

from dataclasses import dataclass
from enum import Enum, auto

NORMAL = 1000
ABNORMAL = 1006
"""No close frame: the TCP connection broke or could not be made (RFC 6455 7.4.1)."""
TLS_FAILED = 1015
"""The server's certificate is not trusted (RFC 6455 7.4.1)."""
UNKNOWN_MODE = 4016

_PAUSES = (0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before the first, second, … attempt: the first comes at once."""
_STABLE_SECONDS = 0.5
"""A connection that lasted this long has earned a fresh count of attempts."""
_FIRST_ATTEMPTS = 5
"""In a row, for a server that never let us in: somebody waits for an answer."""


class Recovery(Enum):
    """How a lost websocket is made good."""

    RESUME = auto()
    """A new websocket takes the session over; sound goes on meanwhile."""
    IDENTIFY = auto()
    """A new session; sound waits for it."""
    STOP = auto()
    """Discord meant it: only a new voice update helps."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A recovery, and how many attempts in a row it is worth."""

    recovery: Recovery
    attempts: int = len(_PAUSES)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next, after `pause` seconds."""

    recovery: Recovery
    pause: float = 0.0


_STOP = Rule(Recovery.STOP)
_RESUME = Rule(Recovery.RESUME)
_IDENTIFY = Rule(Recovery.IDENTIFY)
_OUR_MISTAKE = Rule(Recovery.IDENTIFY, attempts=2)
_UNDOCUMENTED = Rule(Recovery.IDENTIFY, attempts=3)

_RULES = {
    NORMAL: _STOP,
    1001: _RESUME,  # the server goes away
    ABNORMAL: _RESUME,
    TLS_FAILED: _STOP,
    4000: _RESUME,  # unknown error
    4001: _OUR_MISTAKE,  # unknown opcode
    4002: _OUR_MISTAKE,  # failed to decode payload
    4003: _OUR_MISTAKE,  # not authenticated
    4004: _STOP,  # authentication failed
    4005: _OUR_MISTAKE,  # already authenticated
    4006: Rule(Recovery.IDENTIFY, attempts=4),  # session no longer valid
    4009: _IDENTIFY,  # session timed out
    4011: _STOP,  # server not found
    4012: _OUR_MISTAKE,  # unknown protocol
    4014: _STOP,  # disconnected: kicked, moved, or the channel is gone
    4015: _RESUME,  # the voice server crashed
    UNKNOWN_MODE: _OUR_MISTAKE,
    4017: _STOP,  # end-to-end encryption required
    4020: _OUR_MISTAKE,  # bad request
    4021: _STOP,  # disconnected by a rate limit
    4022: _STOP,  # call terminated: the channel was deleted or the server changed
}


def rule_for(code: int) -> Rule:
    """Return what close `code` asks of us."""
    return _RULES.get(code, _UNDOCUMENTED)


class Recoveries:
    """Decides step by step how one voice server is won back, and when that is hopeless."""

    def __init__(self) -> None:
        self._failures = 0
        self._ever_lasted = False

    def after(self, code: int, *, established: bool, lasted: float) -> Step:
        """Return what follows a close.

        Args:
            code: the close code.
            established: there is a session that could be resumed.
            lasted: seconds for which the websocket had been of use.
        """
        self._ever_lasted = self._ever_lasted or lasted > 0
        if lasted >= _STABLE_SECONDS:
            self._failures = 0
        rule = rule_for(code)
        attempts = rule.attempts if self._ever_lasted else min(rule.attempts, _FIRST_ATTEMPTS)
        if rule.recovery is Recovery.STOP or self._failures >= attempts:
            return Step(Recovery.STOP)
        pause = _PAUSES[self._failures]
        self._failures += 1
        return Step(rule.recovery if established else Recovery.IDENTIFY, pause)
