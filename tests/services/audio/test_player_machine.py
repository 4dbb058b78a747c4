"""The player in any order of everything that can happen, against a plain model.

`PlayerMachine` lets each step settle and then expects exactly what a list would show.
`ChaosMachine` lets nothing settle: commands, events, failures and restarts overlap as they will,
and what must hold is what nobody could forgive: two tracks at once, or a track that got lost.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.audio.errors import ExtractionFailed, ExtractionReason, NothingPlaying
from services.audio.player_state import LoopMode, Where
from services.errors import UserError
from tests.fakes.manual_clock import settle
from tests.services.audio.player_world import CHANNEL, GUILD, TEXT, PlayerWorld
from tests.services.audio.tracks import track

ENDS = st.sampled_from(Where)


class _Machine(RuleBasedStateMachine):
    """A world with an event loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self.world = self.run(self._begin())
        self.number = 0

    async def _begin(self) -> PlayerWorld:
        world = PlayerWorld(gapless=self.gapless)
        await world.start()
        await world.player.connect(GUILD, CHANNEL, text_channel_id=TEXT)
        return world

    gapless = True

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def new_name(self) -> str:
        self.number += 1
        return f"t{self.number}"

    def teardown(self) -> None:
        self.run(self.world.player.close())
        self._runner.close()


class PlayerMachine(_Machine):
    """Each step settles; then the player shows what the model shows."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[str] = []
        self.current: str | None = None
        self.loop = LoopMode.OFF
        self.paused = False
        self.node_up = True

    # ── the model ───────────────────────────────────────────────────────────
    def start_next(self) -> None:
        self.current = self.queue.pop(0) if self.queue else None
        self.paused = False

    def retire(self) -> None:
        if self.loop is LoopMode.QUEUE and self.current is not None:
            self.queue.append(self.current)
        self.current = None

    # ── members ─────────────────────────────────────────────────────────────
    @rule(where=ENDS, count=st.integers(1, 3))
    def play(self, where: Where, count: int) -> None:
        names = [self.new_name() for _ in range(count)]
        self.queue = self.queue + names if where is Where.END else names + self.queue
        self.run(self._play(names, where))
        if self.node_up and self.current is None:
            self.start_next()

    async def _play(self, names: list[str], where: Where) -> None:
        player = self.world.player
        player.push_tracks(GUILD, [track(name) for name in names], where)
        await player.stored(GUILD)
        try:
            await player.kick_off_playback(GUILD)
        except UserError:
            assert not self.node_up
        await settle()

    @precondition(lambda self: self.node_up)
    @rule()
    def play_now(self) -> None:
        name = self.new_name()
        self.run(self._settled(self.world.player.play_now(GUILD, track(name))))
        self.queue.insert(0, name)
        if self.current is not None:
            self.retire()
        self.start_next()

    async def _settled(self, work: Coroutine[Any, Any, Any]) -> None:
        await work
        await settle()

    @precondition(lambda self: self.current is not None)
    @rule(count=st.integers(1, 4))
    def skip(self, count: int) -> None:
        self.run(self._settled(self.world.player.skip(GUILD, count)))
        count = min(count, len(self.queue) + 1)
        self.retire()
        self.paused = False
        for _ in range(count - 1):
            head = self.queue.pop(0)
            if self.loop is LoopMode.QUEUE:
                self.queue.append(head)
        if self.node_up:
            self.start_next()

    @precondition(lambda self: self.current is not None)
    @rule()
    def pause_or_resume(self) -> None:
        player = self.world.player
        self.run(player.resume(GUILD) if self.paused else player.pause(GUILD, by=7))
        self.paused = not self.paused

    @precondition(lambda self: self.current is not None or self.queue)
    @rule()
    def stop(self) -> None:
        self.run(self._settled(self.world.player.stop(GUILD)))
        self.queue, self.current, self.paused = [], None, False

    @precondition(lambda self: self.queue)
    @rule()
    def clear(self) -> None:
        self.world_call(lambda: self.world.player.clear(GUILD))
        self.queue = []

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(1, len(self.queue)))
        self.world_call(lambda: self.world.player.remove(GUILD, position))
        self.queue.pop(position - 1)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(1, len(self.queue)))
        to = data.draw(st.integers(1, len(self.queue)))
        self.world_call(lambda: self.world.player.move(GUILD, position, to=to))
        self.queue.insert(to - 1, self.queue.pop(position - 1))

    @rule(loop=st.sampled_from(LoopMode))
    def set_loop(self, loop: LoopMode) -> None:
        self.run(self._settled(self.world.player.set_loop(GUILD, loop)))
        self.loop = loop

    def world_call(self, call: Any) -> None:
        async def calling() -> None:
            call()
            await settle()

        self.run(calling())

    # ── what happens by itself ──────────────────────────────────────────────
    @precondition(lambda self: self.current is not None and self.node_up and not self.paused)
    @rule()
    def finish(self) -> None:
        self.run(self.world.finish())
        if self.loop is not LoopMode.TRACK:
            self.retire()
            self.start_next()

    @precondition(lambda self: self.current is not None and self.node_up)
    @rule()
    def break_off_once(self) -> None:
        self.run(self._break_off())
        # the second try works; whether a third is granted is for the tests of failures
        self.run(self._settled(self.world.player.skip(GUILD)))
        self.retire()
        self.start_next()

    async def _break_off(self) -> None:
        self.world.node.break_off(GUILD)
        await settle()
        assert self.world.heard == self.current

    @precondition(lambda self: self.node_up)
    @rule()
    def node_dies(self) -> None:
        self.world_call(self.world.node.die)
        self.node_up = False

    @precondition(lambda self: not self.node_up)
    @rule()
    def node_comes_back(self) -> None:
        self.world_call(self.world.node.come_back)
        self.node_up = True
        if self.current is None:
            self.start_next()

    @rule(seconds=st.integers(1, 20))
    def time_passes(self, seconds: int) -> None:
        self.run(self.world.clock.advance(seconds))

    @precondition(lambda self: self.node_up)
    @rule(resumed=st.booleans())
    def bot_is_killed(self, *, resumed: bool) -> None:
        self.run(self._restart(resumed=resumed))
        if self.current is None:
            self.start_next()

    async def _restart(self, *, resumed: bool) -> None:
        await self.world.player.stored(GUILD)
        await self.world.kill()
        await self.world.start_again(resumed=resumed)

    @invariant()
    def shows_what_the_model_shows(self) -> None:
        view = self.world.player.view(GUILD)
        assert self.world.queue == self.queue
        assert self.world.current == self.current
        assert view.paused == self.paused
        assert self.world.heard == (self.current if self.node_up else None)
        if self.world.heard is not None:
            assert self.world.node.sounds[GUILD].paused == self.paused


class PlainPlayerMachine(PlayerMachine):
    """The same with a node that cannot be handed the next track."""

    gapless = False


class FarPlayerMachine(PlayerMachine):
    """The same with a node that takes its time to answer."""

    async def _begin(self) -> PlayerWorld:
        world = await super()._begin()
        world.node.turns = 1
        return world


class ChaosMachine(_Machine):
    """Nothing settles; no track sounds beside another, and none gets lost."""

    def __init__(self) -> None:
        super().__init__()
        self.good: set[str] = set()
        self.dropped: set[str] = set()
        self.tasks: list[asyncio.Task[Any]] = []

    def spawn(self, work: Coroutine[Any, Any, Any], *, turns: int) -> None:
        async def guarded() -> None:
            with contextlib.suppress(UserError):
                await work

        async def starting() -> None:
            self.tasks.append(asyncio.create_task(guarded()))
            for _ in range(turns):
                await asyncio.sleep(0)

        self.run(starting())

    @rule(where=ENDS, kind=st.sampled_from(["good", "gone", "broken"]), turns=st.integers(0, 6))
    def play(self, where: Where, kind: str, turns: int) -> None:
        name = self.new_name()
        if kind == "gone":
            gone = ExtractionFailed("It is gone.", reason=ExtractionReason.NOT_FOUND)
            self.world.media.missing[name] = gone
        elif kind == "broken":
            self.world.node.unplayable.add(name)
        else:
            self.good.add(name)
        self.spawn(self._play(name, where), turns=turns)

    async def _play(self, name: str, where: Where) -> None:
        queued = self.world.player.push_track(GUILD, track(name), where)
        try:
            await self.world.player.kick_off_playback(GUILD)
        except UserError:
            if self.world.player.take_back(GUILD, queued.entry_id):
                self.dropped.add(name)
            raise

    @rule(turns=st.integers(0, 6))
    def skip(self, turns: int) -> None:
        async def skipping() -> None:
            self.dropped.add((await self.world.player.skip(GUILD)).skipped.track.title)

        self.spawn(skipping(), turns=turns)

    @rule(turns=st.integers(0, 6))
    def remove_first(self, turns: int) -> None:
        async def removing() -> None:
            self.dropped.add(self.world.player.remove(GUILD, 1).track.title)

        self.spawn(removing(), turns=turns)

    @rule(turns=st.integers(0, 6))
    def toggle_pause(self, turns: int) -> None:
        async def toggling() -> None:
            try:
                await self.world.player.pause(GUILD, by=1)
            except NothingPlaying:
                await self.world.player.resume(GUILD)

        self.spawn(toggling(), turns=turns)

    @rule(turns=st.integers(0, 6))
    def finish(self, turns: int) -> None:
        self._if_sounding(self.world.node.finish, turns)

    @rule(turns=st.integers(0, 6))
    def break_off(self, turns: int) -> None:
        self._if_sounding(self.world.node.break_off, turns)

    def _if_sounding(self, action: Any, turns: int) -> None:
        async def acting() -> None:
            if self.world.node.available and self.world.heard is not None:
                action(GUILD)

        self.spawn(acting(), turns=turns)

    @rule(turns=st.integers(0, 6))
    def node_goes_and_comes(self, turns: int) -> None:
        node = self.world.node

        async def changing() -> None:
            if node.available:
                node.die()
            else:
                node.come_back()

        self.spawn(changing(), turns=turns)

    @rule(turns=st.integers(0, 3))
    def network_changes(self, turns: int) -> None:
        self.world.node.turns = turns

    @rule(seconds=st.integers(1, 8))
    def time_passes(self, seconds: int) -> None:
        self.run(self.world.clock.advance(seconds))

    @rule(resumed=st.booleans())
    def bot_is_killed(self, *, resumed: bool) -> None:
        self.run(self._restart(resumed=resumed))

    async def _restart(self, *, resumed: bool) -> None:
        # what nobody was told yet may be lost with the process; nothing else may
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.world.player.stored(GUILD)
        await self.world.kill()
        await self.world.start_again(resumed=resumed and self.world.node.available)

    def teardown(self) -> None:
        self.run(self._calm_down())
        super().teardown()

    async def _calm_down(self) -> None:
        world = self.world
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if not world.node.available:
            world.node.come_back()
        await world.clock.advance(15)
        assert world.heard == world.current
        here = {*world.queue, world.current, *world.node.heard}
        assert not self.good - here - self.dropped
        if world.current is not None:
            assert world.node.sounds[GUILD].paused == world.player.view(GUILD).paused


_SETTINGS = settings(max_examples=40, stateful_step_count=25, deadline=None)
PlayerMachine.TestCase.settings = _SETTINGS
PlainPlayerMachine.TestCase.settings = _SETTINGS
FarPlayerMachine.TestCase.settings = _SETTINGS
ChaosMachine.TestCase.settings = _SETTINGS

TestPlayerMachine = PlayerMachine.TestCase
TestPlainPlayerMachine = PlainPlayerMachine.TestCase
TestFarPlayerMachine = FarPlayerMachine.TestCase
TestChaosMachine = ChaosMachine.TestCase
