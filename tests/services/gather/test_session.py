"""The rules of a gathering, and any order of events against a plain model."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.gather.effects import (
    Answer,
    Disconnect,
    Effect,
    GhostPing,
    QuorumReached,
    Tell,
)
from services.gather.events import (
    CameBack,
    Cancelled,
    ClickedHere,
    ClickedOut,
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
AUTHOR, ADA, BEN, CLEO = 1, 2, 3, 4


class Gathering:
    """Applies events at times given in seconds and remembers every effect."""

    def __init__(self, *present: int, countdown_s: float = 600, quorum: int | None = None) -> None:
        self.session = GatherSession(
            author_id=AUTHOR,
            created_at=START,
            starts_at=START + timedelta(seconds=countdown_s),
            present=frozenset(present),
            quorum=quorum,
        )
        self.effects: list[Effect] = []

    def at(self, seconds: float, *events: Event) -> tuple[Effect, ...]:
        now = START + timedelta(seconds=seconds)
        step = self.session.apply(events[0], now)
        for event in events[1:]:
            step = step.and_then(event, now)
        self.session = step.session
        self.effects += step.effects
        return step.effects

    def phase(self) -> Phase:
        return self.session.phase

    def out(self) -> tuple[int, ...]:
        return self.session.out

    def status(self, user_id: int) -> Status:
        return self.session.attendees[user_id].status

    def lateness(self, user_id: int) -> timedelta:
        return self.session.lateness(self.session.attendees[user_id])


def checking_in(*present: int, quorum: int | None = None) -> Gathering:
    gathering = Gathering(*present, quorum=quorum)
    gathering.at(0, StartedNow(AUTHOR))
    return gathering


def test_countdown_that_is_due_starts_the_check_in_with_those_present_and_the_author() -> None:
    gathering = Gathering(ADA, BEN, countdown_s=60)
    gathering.at(59, Ticked())
    assert gathering.phase() is Phase.COUNTDOWN
    gathering.at(60, Ticked())
    assert gathering.phase() is Phase.CHECK_IN
    assert gathering.session.missing == (AUTHOR, ADA, BEN)


def test_countdown_attendees_are_present_plus_expected_minus_forgotten() -> None:
    gathering = Gathering(AUTHOR, ADA, BEN)
    gathering.at(1, Expected(AUTHOR, frozenset({CLEO})), Forgotten(AUTHOR, frozenset({BEN})))
    assert gathering.session.expected == {AUTHOR, ADA, CLEO}
    gathering.at(2, JoinedList(BEN), LeftList(ADA))
    assert gathering.session.expected == {AUTHOR, BEN, CLEO}


def test_countdown_is_started_and_cancelled_by_its_author_only() -> None:
    gathering = Gathering(AUTHOR, ADA)
    assert gathering.at(1, StartedNow(ADA)) == (Tell(ADA, Answer.ONLY_AUTHOR),)
    assert gathering.at(1, Cancelled(ADA)) == (Tell(ADA, Answer.ONLY_AUTHOR),)
    gathering.at(2, Cancelled(AUTHOR))
    assert gathering.session.ending is Ending.CANCELLED


def test_countdown_extended_beyond_two_hours_is_refused() -> None:
    gathering = Gathering(AUTHOR, countdown_s=7000)
    assert gathering.at(1, Extended(ADA, timedelta(seconds=201))) == (Tell(ADA, Answer.TOO_LONG),)
    gathering.at(1, Extended(ADA, timedelta(seconds=200)))
    assert gathering.session.starts_at == START + timedelta(hours=2)


def test_extend_during_the_check_in_is_refused() -> None:
    gathering = checking_in(ADA)
    told = gathering.at(1, Extended(ADA, timedelta(minutes=5)))
    assert told == (Tell(ADA, Answer.ONLY_IN_COUNTDOWN),)


def test_arrival_within_the_grace_is_on_time_and_later_ones_count_from_the_start() -> None:
    gathering = checking_in(ADA, BEN)
    gathering.at(60, ClickedHere(ADA, in_channel=True))
    gathering.at(61, ClickedHere(BEN, in_channel=True))
    assert gathering.lateness(ADA) == timedelta()
    assert gathering.lateness(BEN) == timedelta(seconds=61)


def test_here_pressed_outside_of_the_channel_is_refused() -> None:
    gathering = checking_in(ADA)
    told = gathering.at(5, ClickedHere(ADA, in_channel=False))
    assert told == (Tell(ADA, Answer.NOT_IN_CHANNEL),)
    assert gathering.status(ADA) is Status.MISSING


def test_here_pressed_by_somebody_unexpected_in_the_channel_puts_them_on_the_list() -> None:
    gathering = checking_in(ADA)
    gathering.at(5, JoinedChannel(CLEO))
    assert CLEO not in gathering.session.attendees
    gathering.at(6, ClickedHere(CLEO, in_channel=True))
    assert gathering.status(CLEO) is Status.ARRIVED


def test_expected_member_joining_the_channel_is_checked_in_by_that() -> None:
    gathering = checking_in(ADA)
    gathering.at(3, Expected(AUTHOR, frozenset({CLEO})))
    gathering.at(90, JoinedChannel(CLEO))
    assert gathering.lateness(CLEO) == timedelta(seconds=90)


def test_opting_out_disconnects_and_rejoining_counts_again_with_the_new_time() -> None:
    gathering = checking_in(ADA, BEN)
    assert Disconnect(ADA) in gathering.at(10, ClickedOut(ADA))
    assert gathering.out() == (ADA,)
    gathering.at(11, LeftChannel(ADA))
    gathering.at(130, JoinedChannel(ADA))
    assert gathering.out() == ()
    assert gathering.lateness(ADA) == timedelta(seconds=130)


def test_opting_out_twice_or_after_arriving_is_refused() -> None:
    gathering = checking_in(ADA, BEN)
    gathering.at(1, ClickedOut(ADA))
    assert gathering.at(1, ClickedOut(ADA)) == (Tell(ADA, Answer.ALREADY_OUT),)
    gathering.at(2, ClickedHere(BEN, in_channel=True))
    assert gathering.at(3, ClickedOut(BEN)) == (Tell(BEN, Answer.ALREADY_HERE),)
    assert gathering.status(BEN) is Status.ARRIVED


def test_check_in_ends_when_everyone_arrived_or_is_out() -> None:
    gathering = checking_in(ADA)
    gathering.at(5, ClickedHere(AUTHOR, in_channel=True))
    assert gathering.phase() is Phase.CHECK_IN
    gathering.at(6, ClickedOut(ADA))
    assert gathering.session.ending is Ending.COMPLETE


def test_check_in_ends_when_the_last_missing_member_leaves_the_server() -> None:
    gathering = checking_in(ADA)
    gathering.at(5, ClickedHere(AUTHOR, in_channel=True), MemberGone(ADA))
    assert gathering.session.ending is Ending.COMPLETE


def test_check_in_ends_after_thirty_minutes() -> None:
    gathering = checking_in(ADA)
    gathering.at(CHECK_IN_LIMIT.total_seconds(), Ticked())
    assert gathering.session.ending is Ending.TIMED_OUT


def test_ghost_pings_reach_the_missing_only_after_the_grace_every_thirty_seconds() -> None:
    gathering = checking_in(ADA, BEN)
    gathering.at(5, ClickedHere(BEN, in_channel=True))
    assert gathering.at(59, Ticked()) == ()
    assert gathering.at(60, Ticked()) == (GhostPing((AUTHOR, ADA)),)
    assert gathering.at(60, Ticked()) == ()
    assert gathering.at(90, Ticked()) == (GhostPing((AUTHOR, ADA)),)


def test_ghost_pings_missed_while_the_bot_was_away_are_not_made_up_for() -> None:
    gathering = checking_in(ADA)
    gathering.at(300, CameBack(frozenset({ADA})))
    assert sum(isinstance(effect, GhostPing) for effect in gathering.effects) == 1
    assert gathering.at(301, Ticked()) == ()


def test_ghost_pings_stop_while_muted_and_go_on_afterwards() -> None:
    gathering = checking_in(ADA)
    gathering.at(61, SetPings(ADA, on=False))
    assert gathering.at(120, Ticked()) == ()
    gathering.at(130, SetPings(ADA, on=True))
    assert gathering.at(149, Ticked()) == ()
    assert gathering.at(150, Ticked()) == (GhostPing((AUTHOR, ADA)),)


def test_restart_counts_joins_that_happened_meanwhile() -> None:
    gathering = checking_in(ADA)
    gathering.at(1, Expected(AUTHOR, frozenset({CLEO})), ClickedOut(ADA), LeftChannel(ADA))
    gathering.at(100, CameBack(frozenset({ADA, CLEO})))
    assert gathering.lateness(ADA) == gathering.lateness(CLEO) == timedelta(seconds=100)


def test_restart_between_opting_out_and_the_disconnect_finishes_it() -> None:
    gathering = checking_in(ADA)
    gathering.at(1, ClickedOut(ADA))
    assert Disconnect(ADA) in gathering.at(9, CameBack(frozenset({ADA})))
    assert gathering.out() == (ADA,)


def test_quorum_is_announced_once() -> None:
    gathering = checking_in(ADA, BEN, CLEO, quorum=2)
    for user_id in (ADA, BEN, CLEO):
        gathering.at(5, ClickedHere(user_id, in_channel=True))
    assert [e for e in gathering.effects if isinstance(e, QuorumReached)] == [QuorumReached(2)]


def test_closed_gathering_tells_a_late_click_and_changes_nothing() -> None:
    gathering = checking_in(ADA)
    gathering.at(5, Cancelled(AUTHOR))
    before = gathering.session
    assert gathering.at(6, ClickedHere(ADA, in_channel=True)) == (Tell(ADA, Answer.CLOSED),)
    assert gathering.session == before


PEOPLE = st.integers(min_value=1, max_value=6)


class AnyOrderOfEvents(RuleBasedStateMachine):
    """Members really move through a modelled channel; the session must agree with the model."""

    @initialize(present=st.frozensets(PEOPLE))
    def begin(self, present: frozenset[int]) -> None:
        self.gathering = Gathering(*present)
        self.inside = set(present)
        self.seconds = 0.0
        self.stamps: dict[int, timedelta] = {}

    def apply(self, *events: Event) -> None:
        self.gathering.at(self.seconds, *events)

    @rule(seconds=st.floats(min_value=0, max_value=200))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.apply(Ticked())

    @rule(user_id=PEOPLE)
    def joins(self, user_id: int) -> None:
        if user_id in self.inside:
            return  # a mute or deafen: no change of channel, so no event
        self.inside.add(user_id)
        was_out = user_id in self.gathering.session.out
        self.apply(JoinedChannel(user_id))
        if was_out and self.gathering.session.phase is not Phase.CLOSED:
            assert self.gathering.status(user_id) is Status.ARRIVED

    @rule(user_id=PEOPLE)
    def leaves(self, user_id: int) -> None:
        if user_id in self.inside:
            self.inside.discard(user_id)
            self.apply(LeftChannel(user_id))

    @rule(user_id=PEOPLE)
    def presses_here(self, user_id: int) -> None:
        self.apply(ClickedHere(user_id, in_channel=user_id in self.inside))

    @rule(user_id=PEOPLE)
    def presses_out(self, user_id: int) -> None:
        self.apply(ClickedOut(user_id))

    @rule(user_id=PEOPLE, expect=st.booleans(), user_ids=st.frozensets(PEOPLE))
    def list_changes(self, user_id: int, *, expect: bool, user_ids: frozenset[int]) -> None:
        kind = Expected if expect else Forgotten
        self.apply(kind(user_id, user_ids))

    @rule(user_id=PEOPLE, minutes=st.integers(min_value=1, max_value=130))
    def extends(self, user_id: int, minutes: int) -> None:
        self.apply(Extended(user_id, timedelta(minutes=minutes)))

    @rule(user_id=PEOPLE)
    def starts_now(self, user_id: int) -> None:
        self.apply(StartedNow(user_id))

    @rule(user_id=PEOPLE, on=st.booleans())
    def mutes_pings(self, user_id: int, *, on: bool) -> None:
        self.apply(SetPings(user_id, on))

    @rule(inside=st.frozensets(PEOPLE))
    def bot_restarts(self, inside: frozenset[int]) -> None:
        self.inside = set(inside)
        self.apply(CameBack(inside))

    @invariant()
    def nobody_is_both_arrived_and_out(self) -> None:
        session = self.gathering.session
        here = {attendee.user_id for attendee in session.arrived}
        assert not here & set(session.out)
        assert not here & set(session.missing)

    @invariant()
    def who_has_arrived_stays_so_and_lateness_never_changes(self) -> None:
        session = self.gathering.session
        here = {a.user_id: session.lateness(a) for a in session.arrived}
        assert self.stamps.items() <= here.items()
        self.stamps = here

    @invariant()
    def presence_is_known(self) -> None:
        if self.gathering.session.phase is not Phase.CLOSED:
            assert self.gathering.session.present == self.inside

    @invariant()
    def pings_never_reach_anybody_but_the_missing(self) -> None:
        assert self.gathering.session.phase is not Phase.CLOSED or (
            self.gathering.session.next_ping_at is None
        )

    def teardown(self) -> None:
        if hasattr(self, "gathering"):
            self.seconds += 7200
            self.apply(Ticked())
            self.seconds += CHECK_IN_LIMIT.total_seconds()
            self.apply(Ticked())
            assert self.gathering.session.phase is Phase.CLOSED


TestAnyOrderOfEvents = AnyOrderOfEvents.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
