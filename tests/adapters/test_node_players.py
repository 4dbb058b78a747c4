"""Positions between a node's reports, starts that are awaited, and the protocol's events."""

import asyncio
from typing import Any

import pytest

from bot.adapters.node_players import NodePlayers, read_event
from services.audio.errors import NodeUnavailable, TrackUnplayable
from services.audio.ports import (
    EndReason,
    NodeEvent,
    PositionReported,
    TrackEnded,
    TrackFailed,
    TrackStarted,
    TrackStuck,
    VoiceSocketClosed,
)
from tests.fakes.manual_clock import ManualClock

GUILD = 5


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def players(clock: ManualClock) -> NodePlayers:
    return NodePlayers(clock.monotonic)


def message(kind: str, **fields: Any) -> dict[str, Any]:
    track = {"encoded": "x", "info": {}, "userData": {"entry": "7.1"}}
    return {"op": "event", "type": kind, "guildId": str(GUILD), "track": track, **fields}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (message("TrackStartEvent"), TrackStarted(GUILD, "7.1")),
        (message("TrackEndEvent", reason="finished"), TrackEnded(GUILD, "7.1", EndReason.FINISHED)),
        (
            message("TrackExceptionEvent", exception={"message": "broken", "severity": "fault"}),
            TrackFailed(GUILD, "7.1", "broken"),
        ),
        (message("TrackExceptionEvent", exception=None), TrackFailed(GUILD, "7.1", "unknown")),
        (message("TrackStuckEvent", thresholdMs=10_000), TrackStuck(GUILD, "7.1", 10_000)),
        (
            message("WebSocketClosedEvent", code=4022, reason=None, byRemote=True),
            VoiceSocketClosed(GUILD, 4022, ""),
        ),
        (message("SomethingNewEvent"), None),
        (message("TrackStartEvent", track={"userData": {}}), None),
        (message("TrackStartEvent", track=None), None),
    ],
)
def test_event_is_read_as_the_protocol_means_it(
    sent: dict[str, Any], expected: NodeEvent | None
) -> None:
    assert read_event(sent) == expected


async def test_position_runs_between_reports_and_stands_in_a_pause(
    players: NodePlayers, clock: ManualClock
) -> None:
    players.expect(GUILD, "7.1", start_ms=10_000, paused=False)
    players.note(TrackStarted(GUILD, "7.1"))
    await clock.advance(2)
    assert players.position_ms(GUILD) == 12_000
    players.report(GUILD, {"position": 11_500, "connected": True})
    await clock.advance(1)
    assert players.position_ms(GUILD) == 12_500
    players.paused(GUILD, paused=True)
    await clock.advance(60)
    assert players.position_ms(GUILD) == 12_500
    players.paused(GUILD, paused=False)
    await clock.advance(1)
    assert players.position_ms(GUILD) == 13_500


async def test_position_after_the_end_stays_where_it_ended(
    players: NodePlayers, clock: ManualClock
) -> None:
    players.note(TrackStarted(GUILD, "7.1"))
    await clock.advance(30)
    players.note(TrackEnded(GUILD, "7.1", EndReason.LOAD_FAILED))
    await clock.advance(5)
    players.report(GUILD, {"position": 0, "connected": True})
    assert players.position_ms(GUILD) == 30_000
    players.note(TrackStarted(GUILD, "8.1"))
    assert players.position_ms(GUILD) == 0


async def test_end_of_an_earlier_track_changes_nothing(players: NodePlayers) -> None:
    players.note(TrackStarted(GUILD, "8.1"))
    players.note(TrackEnded(GUILD, "7.1", EndReason.REPLACED))
    assert players.play_id(GUILD) == "8.1"


async def test_start_is_awaited_until_it_is_told(players: NodePlayers) -> None:
    players.expect(GUILD, "7.1", start_ms=0, paused=False)
    waiting = asyncio.create_task(players.started("7.1", within=5))
    await asyncio.sleep(0)
    players.note(TrackStarted(GUILD, "7.1"))
    await waiting


@pytest.mark.parametrize(
    "event",
    [TrackFailed(GUILD, "7.1", "no audio"), TrackEnded(GUILD, "7.1", EndReason.LOAD_FAILED)],
)
async def test_start_that_fails_is_told_to_who_waits(
    players: NodePlayers, event: NodeEvent
) -> None:
    players.expect(GUILD, "7.1", start_ms=0, paused=False)
    players.note(event)
    with pytest.raises(TrackUnplayable):
        await players.started("7.1", within=5)


async def test_start_on_a_node_that_is_lost_fails(players: NodePlayers) -> None:
    players.expect(GUILD, "7.1", start_ms=0, paused=False)
    players.fail_all(iter([GUILD]), NodeUnavailable("gone"))
    with pytest.raises(NodeUnavailable):
        await players.started("7.1", within=5)


async def test_player_that_outlived_us_is_found_with_its_track_and_place(
    players: NodePlayers, clock: ManualClock
) -> None:
    found = players.found(
        {
            "guildId": str(GUILD),
            "track": {"userData": {"entry": "7.1"}},
            "paused": True,
            "state": {"position": 4_000, "connected": True},
        }
    )
    assert found == PositionReported(GUILD, "7.1", 4_000, connected=True)
    await clock.advance(9)
    assert players.position_ms(GUILD) == 4_000
