"""Each close of the voice websocket is answered as Discord means it."""

import pytest

from bot.node.close_codes import Recoveries, Recovery


@pytest.mark.parametrize("code", [1001, 1006, 4000, 4015])
def test_close_that_keeps_the_session_is_resumed_at_once(code: int) -> None:
    step = Recoveries().after(code, established=True, lasted=9.0)
    assert step.recovery is Recovery.RESUME
    assert step.pause == 0


@pytest.mark.parametrize("code", [4001, 4002, 4003, 4005, 4006, 4009, 4012, 4016, 4020, 4242])
def test_close_that_ends_the_session_is_identified_anew_at_once(code: int) -> None:
    step = Recoveries().after(code, established=True, lasted=9.0)
    assert step.recovery is Recovery.IDENTIFY
    assert step.pause == 0


@pytest.mark.parametrize("code", [1000, 1015, 4004, 4011, 4014, 4017, 4021, 4022])
def test_close_that_is_meant_stops(code: int) -> None:
    assert Recoveries().after(code, established=True, lasted=9.0).recovery is Recovery.STOP


def test_lost_websocket_without_a_session_is_identified_anew() -> None:
    step = Recoveries().after(1006, established=False, lasted=0.0)
    assert step.recovery is Recovery.IDENTIFY


def test_server_that_stays_away_is_given_up_after_growing_pauses() -> None:
    recoveries = Recoveries()
    steps = [recoveries.after(1006, established=True, lasted=9.0)]
    while steps[-1].recovery is not Recovery.STOP:
        steps.append(recoveries.after(1006, established=True, lasted=0.0))
    pauses = [step.pause for step in steps[:-1]]
    assert pauses == sorted(pauses)
    assert 5 < sum(pauses) < 10


def test_server_that_never_let_us_in_is_given_up_sooner() -> None:
    recoveries = Recoveries()
    pauses = []
    while (step := recoveries.after(1006, established=False, lasted=0.0)).pause < 60:
        if step.recovery is Recovery.STOP:
            break
        pauses.append(step.pause)
    assert sum(pauses) < 3


def test_session_that_is_refused_again_and_again_is_given_up() -> None:
    recoveries = Recoveries()
    steps = [recoveries.after(4006, established=False, lasted=0.0) for _ in range(10)]
    assert steps[-1].recovery is Recovery.STOP


def test_connection_that_lasted_has_all_attempts_again() -> None:
    recoveries = Recoveries()
    for _ in range(100):
        step = recoveries.after(4015, established=True, lasted=1.0)
        assert (step.recovery, step.pause) == (Recovery.RESUME, 0.0)
