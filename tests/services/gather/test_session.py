"""The rules of a gathering, one by one; `test_session_machine` has them in any order."""

from datetime import UTC, datetime, timedelta

import pytest

from services.gather.effects import (
    Answer,
    CannotDisconnect,
    Disconnect,
    Effect,
    FindSubstitute,
    GhostPing,
    QuorumReached,
    Show,
    Tell,
)
from services.gather.events import (
    AskedForSubstitute,
    CameBack,
    Cancelled,
    ChannelGone,
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

    def told(self, seconds: float, event: Event) -> Answer | None:
        answers = [e.answer for e in self.at(seconds, event) if isinstance(e, Tell)]
        return answers[0] if answers else None

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
    assert gathering.at(60, Ticked()) == (GhostPing((AUTHOR, ADA)), Show())
    assert gathering.at(60, Ticked()) == ()
    assert gathering.at(90, Ticked()) == (GhostPing((AUTHOR, ADA)), Show())


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
    assert gathering.at(150, Ticked()) == (GhostPing((AUTHOR, ADA)), Show())


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


def test_pings_muted_by_two_at_once_stay_muted() -> None:
    gathering = checking_in(ADA, BEN)
    gathering.at(61, SetPings(ADA, on=False), SetPings(BEN, on=False))
    assert not gathering.session.pings_on


def test_opting_out_from_elsewhere_disconnects_nobody() -> None:
    gathering = checking_in(ADA)
    gathering.at(3, Expected(AUTHOR, frozenset({CLEO})))
    effects = gathering.at(4, ClickedOut(CLEO))
    assert not [effect for effect in effects if isinstance(effect, Disconnect)]
    assert gathering.out() == (CLEO,)


def test_here_pressed_while_out_but_still_in_the_channel_asks_to_rejoin() -> None:
    gathering = checking_in(ADA)
    gathering.at(4, ClickedOut(ADA))
    assert gathering.told(5, ClickedHere(ADA, in_channel=True)) is Answer.REJOIN_FIRST


def test_restart_after_the_disconnect_counts_the_rejoin() -> None:
    gathering = checking_in(ADA)
    gathering.at(1, ClickedOut(ADA), Disconnected(ADA))
    gathering.at(90, CameBack(frozenset({ADA})))
    assert gathering.lateness(ADA) == timedelta(seconds=90)


def test_disconnect_confirmed_after_the_rejoin_changes_nothing() -> None:
    gathering = checking_in(ADA)
    gathering.at(1, ClickedOut(ADA), LeftChannel(ADA))
    gathering.at(2, JoinedChannel(ADA))
    before = gathering.session
    gathering.at(3, Disconnected(ADA))
    assert gathering.session == before


def test_member_who_cannot_be_disconnected_stays_out_until_they_rejoin() -> None:
    gathering = checking_in(ADA, BEN)
    gathering.at(1, ClickedOut(ADA), ClickedOut(BEN))
    assert gathering.at(2, DisconnectRefused(ADA)) == (CannotDisconnect(ADA),)
    assert gathering.at(2, DisconnectRefused(BEN)) == ()
    effects = gathering.at(50, CameBack(frozenset({ADA, BEN})))
    assert not [effect for effect in effects if isinstance(effect, Disconnect)]
    assert gathering.out() == (ADA, BEN)
    gathering.at(51, LeftChannel(ADA))
    gathering.at(52, JoinedChannel(ADA))
    assert gathering.out() == (BEN,)


def test_disconnect_owed_to_the_last_one_out_is_finished_after_the_end() -> None:
    gathering = checking_in(ADA)
    gathering.at(1, ClickedHere(AUTHOR, in_channel=True), ClickedOut(ADA))
    assert gathering.session.ending is Ending.COMPLETE
    assert Disconnect(ADA) in gathering.at(9, CameBack(frozenset({ADA})))
    gathering.at(10, Disconnected(ADA))
    assert gathering.session.leaving == ()


def test_author_who_left_the_server_is_not_expected_and_leaves_the_buttons_to_the_list() -> None:
    gathering = Gathering(AUTHOR, ADA)
    gathering.at(1, MemberGone(AUTHOR))
    assert gathering.session.expected == {ADA}
    assert gathering.told(2, StartedNow(CLEO)) is Answer.ONLY_AUTHOR
    gathering.at(3, StartedNow(ADA))
    assert gathering.session.missing == (ADA,)
    gathering.at(4, Cancelled(ADA))
    assert gathering.session.ending is Ending.CANCELLED


def test_somebody_who_runs_the_server_cancels_what_others_began() -> None:
    gathering = checking_in(ADA)
    assert gathering.told(1, Cancelled(BEN)) is Answer.ONLY_AUTHOR
    gathering.at(2, Cancelled(BEN, may_always=True))
    assert gathering.session.ending is Ending.CANCELLED


def test_deleted_channel_ends_countdown_and_check_in() -> None:
    for gathering in (Gathering(ADA), checking_in(ADA)):
        gathering.at(1, ChannelGone())
        assert gathering.session.ending is Ending.CHANNEL_GONE


@pytest.mark.parametrize(
    "event", [StartedNow(AUTHOR), JoinedList(BEN), LeftList(ADA), Extended(ADA, timedelta(1))]
)
def test_countdowns_buttons_pressed_during_the_check_in_are_refused(event: Event) -> None:
    gathering = checking_in(ADA)
    assert gathering.told(1, event) is Answer.ONLY_IN_COUNTDOWN


def test_substitute_is_asked_for_once_by_somebody_on_the_list() -> None:
    gathering = checking_in(ADA)
    gathering.at(1, Expected(AUTHOR, frozenset({BEN}), frozenset({900})))
    assert gathering.told(2, AskedForSubstitute(CLEO)) is Answer.NOT_EXPECTED
    assert FindSubstitute() in gathering.at(3, AskedForSubstitute(ADA))
    assert gathering.told(4, AskedForSubstitute(AUTHOR)) is Answer.ASKED_ALREADY
    assert gathering.session.role_ids == {900}


def test_substitute_is_not_asked_for_when_nobody_is_missing() -> None:
    gathering = checking_in(ADA)
    for user_id in (AUTHOR, ADA):
        gathering.at(5, ClickedHere(user_id, in_channel=True))
    assert gathering.told(6, AskedForSubstitute(ADA)) is Answer.NOBODY_MISSING
