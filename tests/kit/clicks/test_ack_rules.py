"""What an answer of Discord's means for an acknowledgement."""

import pytest

from bot.kit.clicks.ack_rules import Acknowledged, Again, Lost, Verdict, judge, pause_before


@pytest.mark.parametrize(
    ("status", "code", "retry_after", "verdict"),
    [
        (204, 0, None, Acknowledged()),
        (200, 0, None, Acknowledged()),
        (400, 40060, None, Acknowledged()),
        (404, 10062, None, Lost("unknown_interaction")),
        (400, 50035, None, Lost("refused")),
        (403, 0, None, Lost("refused")),
        (429, 0, 0.4, Again("rate_limited", after=0.4)),
        (429, 0, None, Again("rate_limited")),
        (500, 0, None, Again("server_error")),
        (502, 0, None, Again("server_error")),
        (503, 0, None, Again("server_error")),
    ],
)
def test_answer_is_judged(
    status: int, code: int, retry_after: float | None, verdict: Verdict
) -> None:
    assert judge(status, code, retry_after) == verdict


def test_pauses_grow_to_half_a_second() -> None:
    assert [pause_before(n) for n in range(1, 7)] == [0.0, 0.05, 0.2, 0.5, 0.5, 0.5]
