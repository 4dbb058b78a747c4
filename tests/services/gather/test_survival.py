"""Whenever the process dies, the gathering goes on: the end of the evening is always the same."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest

from services.gather.attendance import Outcome
from services.gather.errors import AlreadyGathering, NoGathering
from services.gather.events import Cancelled, ClickedHere, ClickedOut, Event, Expected, StartedNow
from services.gather.gathering import Notice
from services.gather.ports import GatherStage, GatherStore
from services.gather.session import Ending
from tests.services.gather.evening import ADA, AUTHOR, BEN, CLEO, GUILD, Evening
from tests.services.gather.power import Power, PoweredStage, PoweredStore

type Action = Callable[["DoomedEvening"], Awaitable[None]]

BACK_WITHIN_SECONDS = 5.0


class DoomedEvening(Evening):
    """An evening on which the process dies at one step, whichever it is."""

    def __init__(self, *inside: int, dies_at: int) -> None:
        self.power = Power(dies_at)
        self.deaths = 0
        super().__init__(*inside)

    def _outside_world(self) -> tuple[GatherStore, GatherStage]:
        store, stage = super()._outside_world()
        return PoweredStore(store, self.power), PoweredStage(stage, self.power)

    async def runs(self, *script: Action) -> None:
        for action in script:
            await action(self)
            if not self.power.on:
                await self._dies_and_comes_back()
                await action(self)  # people do once more what came to nothing

    async def _dies_and_comes_back(self) -> None:
        self.deaths += 1
        await self.killed(meanwhile=self._power_returns)
        await self.passes(BACK_WITHIN_SECONDS)

    def _power_returns(self) -> None:
        self.power.on = True

    async def says(self, event: Event) -> None:
        """Click or type, and see later what came of it."""
        try:
            self.service.submit(GUILD, event)
        except NoGathering:
            return
        await self.passes(1)


def start(minutes: float) -> Action:
    async def action(evening: DoomedEvening) -> None:
        starting = await evening.begins_soon(minutes, quorum=2)
        if starting.done():
            with contextlib.suppress(AlreadyGathering):  # it was stored when the process died
                await starting

    return action


def says(event: Event) -> Action:
    return lambda evening: evening.says(event)


def joins(user_id: int) -> Action:
    async def action(evening: DoomedEvening) -> None:
        if user_id not in evening.inside:
            evening.joins(user_id)
        await evening.passes(1)

    return action


def passes(seconds: float) -> Action:
    return lambda evening: evening.passes(seconds)


EVENING: tuple[Action, ...] = (
    start(1),
    says(Expected(AUTHOR, frozenset({CLEO}))),
    says(StartedNow(AUTHOR)),
    says(ClickedOut(ADA)),
    says(ClickedHere(BEN, in_channel=True)),
    passes(65),
    joins(ADA),
    joins(CLEO),
    says(ClickedOut(AUTHOR)),
    passes(5),
)


async def evening_that_dies_at(step: int) -> DoomedEvening:
    evening = DoomedEvening(ADA, BEN, dies_at=step)
    await evening.runs(*EVENING)
    return evening


async def test_evening_ends_the_same_at_whichever_step_the_process_dies() -> None:
    deaths = 0
    for step in range(1000):
        evening = await evening_that_dies_at(step)
        where = f"died at step {step}"
        last, stage = evening.stage.last, evening.stage
        assert last.session.ending is Ending.COMPLETE, where
        standing = {u: a.status.value for u, a in last.session.attendees.items()}
        assert standing == {
            AUTHOR: "reconsidering",
            ADA: "arrived",
            BEN: "arrived",
            CLEO: "arrived",
        }, where
        assert {ADA, AUTHOR} <= set(stage.disconnected), where
        assert evening.inside == {ADA, BEN, CLEO}, where
        assert set(stage.said) == {Notice.QUORUM, Notice.FAREWELL}, where
        assert stage.standing_pings == set(), where
        assert [line.outcome for line in evening.memory.ledger(1)].count(Outcome.OUT) == 1, where
        assert evening.service.find(GUILD) is None, where
        await evening.close()
        if not evening.deaths:
            break
        deaths += 1
    else:
        pytest.fail("the evening never went through")
    assert deaths > 60


async def test_cancelled_countdown_is_over_at_whichever_step_the_process_dies() -> None:
    for step in range(200):
        evening = DoomedEvening(ADA, dies_at=step)
        await evening.runs(start(10), says(Cancelled(AUTHOR)), passes(5))
        assert evening.stage.last.session.ending is Ending.CANCELLED, f"died at step {step}"
        assert set(evening.stage.said) == {Notice.FAREWELL}, f"died at step {step}"
        assert evening.service.find(GUILD) is None
        await evening.close()
        if not evening.deaths:
            return
    pytest.fail("the countdown never went through")
