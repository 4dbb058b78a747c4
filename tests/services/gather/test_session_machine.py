"""Any order of joins, leaves, moves, clicks, lists, times and restarts, against a plain model.

The model is a dictionary from member to "missing", "here" or "out", changed by the plainest
reading of the specification. Members really move through a modelled channel, and Discord
disconnects whom it was asked to, sooner, later, or never.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.gather.effects import Disconnect, Effect, GhostPing
from services.gather.events import (
    AskedForSubstitute,
    CameBack,
    Cancelled,
    ClickedHere,
    ClickedOut,
    Disconnected,
    DisconnectRefused,
    Event,
    Expected,
    Extended,
    Forgotten,
    JoinedChannel,
    JoinedList,
    LeftChannel,
    LeftList,
    MemberGone,
    SetPings,
    StartedNow,
    Ticked,
)
from services.gather.session import CHECK_IN_LIMIT, Ending, GatherSession, Phase, Status

START = datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
AUTHOR = 1
PEOPLE = st.integers(min_value=1, max_value=6)
WORDS = {Status.MISSING: "missing", Status.ARRIVED: "here", Status.RECONSIDERING: "out"}


class Model:
    """What the members would write down with pencil and paper."""

    def __init__(self, inside: set[int]) -> None:
        self.inside = inside
        self.wanted: set[int] = set()
        self.unwanted: set[int] = set()
        self.author_left = False
        self.standing: dict[int, str] | None = None
        """None during the countdown."""
        self.over = False

    def starts(self) -> None:
        author = set() if self.author_left else {AUTHOR}
        expected = (self.inside | self.wanted | author) - self.unwanted
        self.standing = dict.fromkeys(expected, "missing")
        self.look()

    def look(self) -> None:
        if self.standing is not None and "missing" not in self.standing.values():
            self.over = True

    def lists(self, user_ids: set[int], *, on: bool) -> None:
        if self.over:
            return
        if self.standing is None:
            self.wanted = self.wanted | user_ids if on else self.wanted - user_ids
            self.unwanted = self.unwanted - user_ids if on else self.unwanted | user_ids
            return
        for user_id in user_ids:
            if on:
                self.standing.setdefault(user_id, "missing")
            elif self.standing.get(user_id) != "here":
                self.standing.pop(user_id, None)
        self.look()

    def joins(self, user_id: int) -> None:
        self.inside.add(user_id)
        if self.standing is not None and not self.over and user_id in self.standing:
            self.standing[user_id] = "here"
            self.look()

    def presses_here(self, user_id: int) -> None:
        if self.standing is None or self.over or user_id not in self.inside:
            return
        if self.standing.get(user_id, "missing") == "missing":
            self.standing[user_id] = "here"
            self.look()

    def presses_out(self, user_id: int) -> None:
        if self.standing is not None and not self.over and self.standing.get(user_id) == "missing":
            self.standing[user_id] = "out"
            self.look()

    def loses(self, user_id: int) -> None:
        self.inside.discard(user_id)
        if self.over:
            return
        self.author_left = self.author_left or user_id == AUTHOR
        self.wanted.discard(user_id)
        if self.standing is not None:
            self.lists({user_id}, on=False)


class AnyOrderOfEvents(RuleBasedStateMachine):
    """The session agrees with the model whatever happens."""

    @initialize(present=st.frozensets(PEOPLE), quorum=st.none() | PEOPLE)
    def begin(self, present: frozenset[int], quorum: int | None) -> None:
        self.seconds = 0.0
        self.model = Model(set(present))
        self.session = GatherSession(
            author_id=AUTHOR,
            created_at=START,
            starts_at=START + timedelta(minutes=10),
            present=present,
            quorum=quorum,
        )
        self.to_disconnect: list[int] = []
        self.arrivals: dict[int, timedelta] = {}

    def apply(self, event: Event) -> tuple[Effect, ...]:
        before = self.session.phase
        step = self.session.apply(event, START + timedelta(seconds=self.seconds))
        self.session = step.session
        for effect in step.effects:
            if isinstance(effect, Disconnect):
                self.to_disconnect.append(effect.user_id)
            if isinstance(effect, GhostPing):
                assert set(effect.user_ids) == set(self.session.missing)
                assert self.session.pings_on
        started = before is Phase.COUNTDOWN and self.session.phase is not Phase.COUNTDOWN
        if started and self.session.ending is not Ending.CANCELLED:
            self.model.starts()
        return step.effects

    # ── people ──────────────────────────────────────────────────────────────
    @rule(user_id=PEOPLE)
    def joins(self, user_id: int) -> None:
        if user_id not in self.model.inside:  # else it is a mute or deafen, and no event
            self.apply(JoinedChannel(user_id))
            self.model.joins(user_id)

    @rule(user_id=PEOPLE)
    def leaves_or_is_moved_away(self, user_id: int) -> None:
        if user_id in self.model.inside:
            self.model.inside.discard(user_id)
            self.apply(LeftChannel(user_id))

    @rule(user_id=PEOPLE, times=st.integers(1, 2))
    def presses_here(self, user_id: int, times: int) -> None:
        for _ in range(times):
            self.apply(ClickedHere(user_id, in_channel=user_id in self.model.inside))
            if self.session.phase is not Phase.COUNTDOWN:
                self.model.presses_here(user_id)

    @rule(user_id=PEOPLE, times=st.integers(1, 2))
    def presses_out(self, user_id: int, times: int) -> None:
        for _ in range(times):
            self.apply(ClickedOut(user_id))
            self.model.presses_out(user_id)

    @rule(user_id=PEOPLE)
    def leaves_the_server(self, user_id: int) -> None:
        self.apply(LeftChannel(user_id))
        self.apply(MemberGone(user_id))
        self.model.loses(user_id)

    # ── lists and buttons ───────────────────────────────────────────────────
    @rule(on=st.booleans(), user_ids=st.frozensets(PEOPLE))
    def commands_name_members(self, *, on: bool, user_ids: frozenset[int]) -> None:
        self.apply(Expected(AUTHOR, user_ids) if on else Forgotten(AUTHOR, user_ids))
        self.model.lists(set(user_ids), on=on)

    @rule(user_id=PEOPLE, on=st.booleans())
    def buttons_of_the_countdown(self, user_id: int, *, on: bool) -> None:
        counting = self.session.phase is Phase.COUNTDOWN
        self.apply(JoinedList(user_id) if on else LeftList(user_id))
        if counting:
            self.model.lists({user_id}, on=on)

    @rule(user_id=PEOPLE, minutes=st.integers(1, 130))
    def extends(self, user_id: int, minutes: int) -> None:
        self.apply(Extended(user_id, timedelta(minutes=minutes)))

    @rule(user_id=PEOPLE)
    def starts_now(self, user_id: int) -> None:
        self.apply(StartedNow(user_id))

    @rule(user_id=PEOPLE, on=st.booleans())
    def mutes_or_unmutes(self, user_id: int, *, on: bool) -> None:
        self.apply(SetPings(user_id, on))

    @rule(user_id=PEOPLE)
    def asks_for_a_substitute(self, user_id: int) -> None:
        self.apply(AskedForSubstitute(user_id))

    @precondition(lambda self: self.seconds > 600)
    @rule(user_id=PEOPLE)
    def cancels(self, user_id: int) -> None:
        self.apply(Cancelled(user_id))
        self.model.over = self.model.over or self.session.phase is Phase.CLOSED

    # ── time, Discord, the bot ──────────────────────────────────────────────
    @rule(seconds=st.floats(min_value=0, max_value=200))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.apply(Ticked())
        self.model.over = self.model.over or self.session.phase is Phase.CLOSED

    @precondition(lambda self: self.to_disconnect)
    @rule(data=st.data(), told_first=st.booleans())
    def discord_disconnects(self, data: Any, *, told_first: bool) -> None:
        user_id = data.draw(st.sampled_from(sorted(set(self.to_disconnect))))
        self.to_disconnect.remove(user_id)
        if user_id not in self.session.leaving:
            return  # the service asks before it acts
        self.model.inside.discard(user_id)
        events: list[Event] = [Disconnected(user_id), LeftChannel(user_id)]
        for event in events if told_first else reversed(events):
            self.apply(event)

    @precondition(lambda self: self.to_disconnect)
    @rule(data=st.data())
    def discord_refuses_to_disconnect(self, data: Any) -> None:
        user_id = data.draw(st.sampled_from(sorted(set(self.to_disconnect))))
        self.to_disconnect.remove(user_id)
        self.apply(DisconnectRefused(user_id))

    @rule(inside=st.frozensets(PEOPLE))
    def bot_restarts(self, inside: frozenset[int]) -> None:
        self.to_disconnect.clear()
        never_left = set(self.session.leaving) & inside
        joined = inside - self.model.inside
        self.model.inside -= self.model.inside - inside
        self.apply(CameBack(inside))
        for user_id in sorted(joined):
            self.model.joins(user_id)
        self.model.inside |= inside
        self.model.over = self.model.over or self.session.phase is Phase.CLOSED
        assert never_left <= set(self.to_disconnect)

    # ── what always holds ───────────────────────────────────────────────────
    @invariant()
    def everybody_stands_as_in_the_model(self) -> None:
        standing = {u: WORDS[a.status] for u, a in self.session.attendees.items()}
        assert standing == (self.model.standing or {})
        assert self.session.phase is not Phase.COUNTDOWN or self.model.standing is None
        assert (self.session.phase is Phase.CLOSED) == self.model.over

    @invariant()
    def who_has_arrived_stays_so_and_lateness_never_changes(self) -> None:
        here = {a.user_id: self.session.lateness(a) for a in self.session.arrived}
        assert self.arrivals.items() <= here.items()
        self.arrivals = here

    @invariant()
    def nobody_is_in_two_states(self) -> None:
        here = {attendee.user_id for attendee in self.session.arrived}
        assert not here & set(self.session.out)
        assert not here & set(self.session.missing)
        assert set(self.session.leaving) <= set(self.session.out)

    @invariant()
    def presence_is_known_while_it_matters(self) -> None:
        if self.session.phase is not Phase.CLOSED:
            assert self.session.present == self.model.inside

    @invariant()
    def only_an_open_gathering_wants_to_be_woken(self) -> None:
        closed = self.session.phase is Phase.CLOSED
        assert (self.session.wakes_at is None) == closed
        assert not (closed and self.session.next_ping_at)

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        for seconds in (7200, CHECK_IN_LIMIT.total_seconds()):
            self.seconds += seconds
            self.apply(Ticked())
        assert self.session.phase is Phase.CLOSED


TestAnyOrderOfEvents = AnyOrderOfEvents.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
