"""A process beside a benchmark answers, ends with it, and is not waited for when it died."""

import psutil
import pytest

from tests.benchmarks.child import Child

pytestmark = pytest.mark.e2e

TIMER = "tests.benchmarks.bare_timer"


async def test_child_answers_and_ends_with_the_benchmark() -> None:
    async with Child(TIMER) as timer:
        process = psutil.Process(timer.pid)
        assert await timer.ask("late", since=0.0, until=0.0) == []
    assert not process.is_running()


async def test_child_that_cannot_start_is_told_with_its_last_words() -> None:
    with pytest.raises(AssertionError, match="No module named"):
        async with Child("tests.benchmarks.no_such_thing"):
            pass


async def test_child_that_fails_at_a_question_is_told_with_its_last_words() -> None:
    async with Child(TIMER) as timer:
        with pytest.raises(AssertionError, match="KeyError: 'since'"):
            await timer.ask("late")
