"""Gatherings at work: stored before shown, nothing waits for Discord, and a restart goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from services.db.errors import StorageUnavailable
from services.gather.attendance import Outcome
from services.gather.effects import Answer
from services.gather.errors import AlreadyGathering, NoGathering
from services.gather.events import (
    Cancelled,
    ChannelGone,
    ClickedHere,
    ClickedOut,
    Expected,
    MemberGone,
    SetPings,
    StartedNow,
)
from services.gather.gathering import Notice
from services.gather.ports import NotDone
from services.gather.session import Ending, Phase
from tests.fakes.manual_clock import settle
from tests.services.gather.evening import ADA, AUTHOR, BEN, CLEO, GUILD, OTHER_VOICE, VOICE, Evening


@pytest.fixture
async def new_evening() -> AsyncIterator[Callable[..., Evening]]:
    evenings: list[Evening] = []

    def make(*inside: int) -> Evening:
        evenings.append(Evening(*inside))
        return evenings[-1]

    yield make
    for evening in evenings:
        await evening.close()


@pytest.fixture
def evening(new_evening: Callable[..., Evening]) -> Evening:
    return new_evening(ADA, BEN)


# ── beginning ───────────────────────────────────────────────────────────────
async def test_gathering_without_a_time_checks_in_at_once(evening: Evening) -> None:
    await evening.begins()
    assert evening.phase() is Phase.CHECK_IN
    assert evening.stage.last.session.missing == (AUTHOR, ADA, BEN)


async def test_gathering_with_a_time_counts_down_and_then_checks_in(evening: Evening) -> None:
    await evening.begins(minutes=10)
    assert evening.phase() is Phase.COUNTDOWN
    await evening.passes(599)
    assert evening.phase() is Phase.COUNTDOWN
    await evening.passes(1)
    assert evening.phase() is Phase.CHECK_IN


async def test_countdown_is_refreshed_every_five_seconds(evening: Evening) -> None:
    await evening.begins(minutes=10)
    before = len(evening.stage.shown)
    await evening.passes(60)
    assert len(evening.stage.shown) - before == 12


async def test_second_gathering_in_a_guild_is_refused(evening: Evening) -> None:
    await evening.begins(minutes=10)
    with pytest.raises(AlreadyGathering):
        await evening.begins()
    assert evening.phase() is Phase.COUNTDOWN


async def test_two_starts_at_the_same_instant_make_one_gathering(evening: Evening) -> None:
    outcomes = await asyncio.gather(
        evening.begins(minutes=10), evening.begins(minutes=10), return_exceptions=True
    )
    assert sum(isinstance(outcome, AlreadyGathering) for outcome in outcomes) == 1


async def test_start_that_cannot_be_stored_leaves_nothing_behind(evening: Evening) -> None:
    evening.memory.failures = [StorageUnavailable("The disk is full.")]
    with pytest.raises(StorageUnavailable):
        await evening.begins()
    assert evening.stage.shown == []
    await evening.begins()
    assert evening.phase() is Phase.CHECK_IN


async def test_joins_while_the_start_is_being_stored_are_not_missed(evening: Evening) -> None:
    evening.memory.held = asyncio.Event()
    starting = asyncio.ensure_future(evening.begins(minutes=10))
    await settle()
    evening.joins(CLEO)
    evening.memory.held.set()
    await starting
    assert evening.stage.last.session.expected == {AUTHOR, ADA, BEN, CLEO}


async def test_command_without_a_gathering_is_refused(evening: Evening) -> None:
    with pytest.raises(NoGathering):
        evening.service.submit(GUILD, Cancelled(AUTHOR))


# ── what happens is stored first ────────────────────────────────────────────
async def test_nothing_is_shown_before_it_is_stored(evening: Evening) -> None:
    await evening.begins()
    evening.memory.held = asyncio.Event()
    before = len(evening.stage.shown)
    told = evening.service.submit(GUILD, ClickedHere(ADA, in_channel=True))
    await settle()
    assert not told.done()
    assert len(evening.stage.shown) == before
    evening.memory.held.set()
    await settle()
    assert evening.shown(ADA) == "arrived"


async def test_database_that_fails_for_a_while_loses_no_click(evening: Evening) -> None:
    await evening.begins()
    evening.memory.failures = [StorageUnavailable("locked")] * 3
    first = evening.service.submit(GUILD, ClickedHere(ADA, in_channel=True))
    second = evening.service.submit(GUILD, ClickedOut(BEN))
    await evening.passes(3)
    assert (await first).answer is None
    assert (await second).answer is None
    assert (evening.shown(ADA), evening.shown(BEN)) == ("arrived", "reconsidering")


async def test_clicks_that_pile_up_share_transactions(evening: Evening) -> None:
    await evening.begins()
    before = evening.memory.writes
    clicks = [
        evening.service.submit(GUILD, ClickedHere(1000 + number, in_channel=True))
        for number in range(50)
    ]
    await asyncio.gather(*clicks)
    assert evening.memory.writes - before <= 2
    assert len(evening.stage.last.session.arrived) == 50


async def test_every_event_is_in_the_log(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(ClickedHere(ADA, in_channel=True))
    await evening.happens(ClickedOut(BEN))
    kinds = [type(dated.event).__name__ for dated in evening.memory.events]
    assert kinds == ["Ticked", "ClickedHere", "ClickedOut", "LeftChannel", "Disconnected"]


# ── out, and back ───────────────────────────────────────────────────────────
async def test_opting_out_disconnects_and_rejoining_is_the_check_in(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(ClickedOut(ADA))
    assert evening.stage.disconnected == [ADA]
    assert ADA not in evening.inside
    await evening.passes(130)
    evening.joins(ADA)
    await settle()
    assert evening.shown(ADA) == "arrived"
    assert evening.lateness(ADA) == 130


async def test_slow_disconnect_delays_nobodys_click(evening: Evening) -> None:
    await evening.begins()
    evening.stage.held = asyncio.Event()
    await evening.happens(ClickedOut(ADA))
    await evening.happens(ClickedHere(BEN, in_channel=True))
    assert evening.stage.disconnected == []
    assert evening.shown(BEN) == "arrived"
    evening.stage.held.set()
    await settle()
    assert evening.stage.disconnected == [ADA]


async def test_member_who_came_back_before_the_disconnect_is_left_alone(evening: Evening) -> None:
    await evening.begins()
    evening.stage.disconnect_failures = [NotDone("Discord is busy")]
    await evening.happens(ClickedOut(ADA))
    evening.leaves(ADA)
    evening.joins(ADA)
    await evening.passes(120)
    assert evening.stage.disconnected == []
    assert evening.shown(ADA) == "arrived"


async def test_disconnect_that_fails_for_a_while_is_done_later(evening: Evening) -> None:
    await evening.begins()
    evening.stage.disconnect_failures = [NotDone("Discord is busy")] * 3
    await evening.happens(ClickedOut(ADA))
    await evening.passes(10)
    assert evening.stage.disconnected == [ADA]
    assert evening.stage.said == []


async def test_forbidden_disconnects_are_told_once(evening: Evening) -> None:
    await evening.begins()
    evening.stage.forbid_disconnects()
    await evening.happens(ClickedOut(ADA))
    await evening.happens(ClickedOut(BEN))
    await evening.passes(60)
    assert evening.stage.said == [Notice.CANNOT_DISCONNECT]
    assert (evening.shown(ADA), evening.shown(BEN)) == ("reconsidering", "reconsidering")


async def test_member_moved_to_another_channel_and_back_has_rejoined(evening: Evening) -> None:
    await evening.begins()
    evening.stage.forbid_disconnects()
    await evening.happens(ClickedOut(ADA))
    evening.service.changed_channel(GUILD, ADA, left=VOICE, joined=OTHER_VOICE)
    evening.service.changed_channel(GUILD, ADA, left=OTHER_VOICE, joined=VOICE)
    await settle()
    assert evening.shown(ADA) == "arrived"


async def test_last_missing_member_who_opts_out_is_still_disconnected(evening: Evening) -> None:
    await evening.begins()
    for user_id in (AUTHOR, BEN):
        await evening.happens(ClickedHere(user_id, in_channel=True))
    await evening.happens(ClickedOut(ADA))
    assert evening.stage.last.session.ending is Ending.COMPLETE
    assert evening.stage.disconnected == [ADA]


# ── pings ───────────────────────────────────────────────────────────────────
async def test_ghost_pings_reach_the_missing_and_vanish_after_700_ms(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(ClickedHere(ADA, in_channel=True))
    await evening.passes(59)
    assert evening.stage.pinged == []
    await evening.passes(1)
    assert evening.stage.pinged == [(AUTHOR, BEN)]
    assert len(evening.stage.standing_pings) == 1
    await evening.passes(0.6)
    assert len(evening.stage.standing_pings) == 1
    await evening.passes(0.1)
    assert evening.stage.standing_pings == set()
    await evening.passes(29.3)
    assert evening.stage.pinged == [(AUTHOR, BEN)] * 2


async def test_muted_pings_stay_away_until_unmuted(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(SetPings(ADA, on=False))
    await evening.passes(200)
    assert evening.stage.pinged == []
    await evening.happens(SetPings(ADA, on=True))
    await evening.passes(30)
    assert len(evening.stage.pinged) == 1


async def test_join_and_opt_out_stop_pings_for_those_members(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(Expected(AUTHOR, frozenset({CLEO})))
    await evening.passes(60)
    evening.joins(CLEO)
    await evening.happens(ClickedOut(BEN))
    await evening.passes(30)
    assert evening.stage.pinged == [(AUTHOR, ADA, BEN, CLEO), (AUTHOR, ADA)]


async def test_gatherings_one_after_the_other_ping_no_more_than_one(evening: Evening) -> None:
    await evening.begins()
    await evening.passes(60)
    await evening.happens(Cancelled(AUTHOR))
    await evening.begins()
    await evening.passes(59)
    assert len(evening.stage.pinged) == 1
    await evening.passes(1)
    assert len(evening.stage.pinged) == 2


# ── ending ──────────────────────────────────────────────────────────────────
async def test_ending_says_farewell_once_and_makes_room_for_the_next(evening: Evening) -> None:
    first = await evening.begins()
    await evening.happens(Cancelled(AUTHOR))
    assert evening.stage.said == [Notice.FAREWELL]
    assert evening.stage.forgotten == [first.id]
    await evening.begins()
    assert evening.phase() is Phase.CHECK_IN


async def test_check_in_ends_after_thirty_minutes(evening: Evening) -> None:
    await evening.begins()
    await evening.passes(30 * 60)
    assert evening.stage.last.session.ending is Ending.TIMED_OUT
    assert evening.service.find(GUILD) is None


async def test_deleted_channel_ends_the_gathering(evening: Evening) -> None:
    await evening.begins()
    evening.service.happened(GUILD, ChannelGone(), where=lambda g: g.voice_channel_id == VOICE)
    await settle()
    assert evening.stage.last.session.ending is Ending.CHANNEL_GONE


async def test_author_who_left_the_server_leaves_the_buttons_to_the_others(
    evening: Evening,
) -> None:
    await evening.begins(minutes=10)
    evening.leaves(AUTHOR)
    await evening.happens(MemberGone(AUTHOR))
    assert (await evening.happens(StartedNow(CLEO))).answer is Answer.ONLY_AUTHOR
    await evening.happens(StartedNow(ADA))
    assert evening.stage.last.session.missing == (ADA, BEN)


async def test_quorum_is_announced_once(evening: Evening) -> None:
    await evening.begins(quorum=2)
    for user_id in (AUTHOR, ADA):
        await evening.happens(ClickedHere(user_id, in_channel=True))
    assert evening.stage.said == [Notice.QUORUM]


# ── the ledger ──────────────────────────────────────────────────────────────
async def test_ledger_has_everybody_who_was_expected(evening: Evening) -> None:
    gathering = await evening.begins()
    await evening.happens(Expected(AUTHOR, frozenset({CLEO})))
    await evening.happens(ClickedHere(ADA, in_channel=True))
    await evening.happens(ClickedOut(BEN))
    await evening.passes(100)
    evening.joins(CLEO)
    await evening.passes(30 * 60 - 100)
    lines = {line.user_id: line for line in evening.memory.ledger(gathering.id)}
    assert {u: (line.outcome, line.late_s) for u, line in lines.items()} == {
        AUTHOR: (Outcome.MISSING, 0),
        ADA: (Outcome.ON_TIME, 0),
        BEN: (Outcome.OUT, 0),
        CLEO: (Outcome.LATE, 100),
    }
    assert {u: line.present_s for u, line in lines.items()} == {
        AUTHOR: 1800,
        ADA: 1800,
        BEN: 0,
        CLEO: 1700,
    }


async def test_cancelled_gathering_blames_nobody_in_the_ledger(evening: Evening) -> None:
    gathering = await evening.begins()
    await evening.happens(ClickedHere(ADA, in_channel=True))
    await evening.happens(Cancelled(AUTHOR))
    assert [(line.user_id, line.outcome) for line in evening.memory.ledger(gathering.id)] == [
        (ADA, Outcome.ON_TIME)
    ]


async def test_substitute_is_asked_for_once_also_after_the_end(evening: Evening) -> None:
    gathering = await evening.begins()
    await evening.passes(30 * 60)
    for answer in (None, Answer.ASKED_ALREADY):
        asking = evening.service.ask_for_substitute(GUILD, gathering.id, by=AUTHOR)
        result = await asking
        assert result is not None
        assert result.answer is answer
        await settle()
    assert evening.stage.said == [Notice.FAREWELL, Notice.SUBSTITUTE]
    assert await evening.service.ask_for_substitute(99, gathering.id, by=AUTHOR) is None


async def test_stopping_bot_stores_what_was_clicked_and_deletes_its_pings(
    evening: Evening,
) -> None:
    await evening.begins()
    await evening.passes(60)
    clicked = evening.service.submit(GUILD, ClickedHere(ADA, in_channel=True))
    closing = asyncio.ensure_future(evening.service.close())
    await evening.passes(1)
    await closing
    assert clicked.done()
    assert evening.stage.standing_pings == set()
    await evening.killed()
    assert evening.shown(ADA) == "arrived"


# ── restart ─────────────────────────────────────────────────────────────────
async def test_joins_while_the_bot_was_away_count_from_its_return(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(Expected(AUTHOR, frozenset({CLEO})))
    await evening.happens(ClickedOut(ADA))

    def meanwhile() -> None:
        evening.joins(CLEO)
        evening.joins(ADA)

    await evening.passes(90)
    await evening.killed(meanwhile=meanwhile)
    assert (evening.shown(CLEO), evening.shown(ADA)) == ("arrived", "arrived")
    assert evening.lateness(CLEO) == evening.lateness(ADA) == 90


async def test_countdown_that_ran_out_while_the_bot_was_away_starts_on_its_return(
    evening: Evening,
) -> None:
    await evening.begins(minutes=1)
    await evening.killed()
    assert evening.phase() is Phase.COUNTDOWN
    await evening.passes(60)
    assert evening.phase() is Phase.CHECK_IN


async def test_owed_messages_are_sent_after_a_restart(evening: Evening) -> None:
    await evening.begins(quorum=1)
    evening.stage.hangs = True
    await evening.happens(ClickedHere(ADA, in_channel=True))
    await evening.happens(Cancelled(AUTHOR))
    await evening.killed()
    assert sorted(evening.stage.said) == [Notice.FAREWELL, Notice.QUORUM]
    assert evening.stage.forgotten == [evening.gathering_id]


async def test_ping_that_a_crash_left_standing_is_deleted(evening: Evening) -> None:
    await evening.begins()
    await evening.passes(60)
    left = set(evening.stage.standing_pings)
    assert left
    evening.stage.hangs = True
    await evening.passes(1)
    await evening.killed()
    assert not left & evening.stage.standing_pings


async def test_new_gateway_session_counts_what_it_missed(evening: Evening) -> None:
    await evening.begins()
    await evening.happens(Expected(AUTHOR, frozenset({CLEO})))
    evening.inside.add(CLEO)
    evening.comes_back()
    await settle()
    assert evening.shown(CLEO) == "arrived"
