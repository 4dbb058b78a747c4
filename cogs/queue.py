"""`queue`: what plays, and what comes, in pages."""

from bot.kit import track_text
from bot.kit.converters import Integer
from bot.kit.dual_command import CommandSpec, command
from bot.kit.invocation import Invocation
from bot.kit.paging import Page, Paging
from bot.kit.replies import Reply, empty, info
from services.audio.player_service import PlayerService
from services.audio.player_state import LoopMode, PlayerView, QueuePage

_LINE = 280

_LOOPS = {
    LoopMode.OFF: "",
    LoopMode.TRACK: "looping the track",
    LoopMode.QUEUE: "looping the queue",
}


class Queue:
    """Shows the queue."""

    def __init__(self, player: PlayerService, paging: Paging) -> None:
        self._player = player
        self._paging = paging

    @command(
        CommandSpec(
            name="queue",
            summary="Show what plays and what comes next",
            arguments=(Integer(name="page", description="Which page", required=False, default=1),),
            aliases=("q",),
            examples=("queue", "queue 3"),
        )
    )
    async def queue(self, call: Invocation, page: int) -> Reply | None:
        """Show a page; its author turns it."""
        view = self._player.view(call.guild_id)
        if view.current is None and not view.queue_length:
            return empty("🕳️ The queue is empty", "Put something in with `play`.")
        await self._paging.show(call, lambda number: self._page(call.guild_id, number), number=page)
        return None

    def _page(self, guild_id: int, number: int) -> Page:
        window = self._player.page(guild_id, number)
        view = self._player.view(guild_id)
        return Page(listing(view, window), number=window.page, count=window.pages)


def listing(view: PlayerView, window: QueuePage) -> Reply:
    """Show one page of the queue under what plays."""
    parts = [_now(view)]
    if window.entries:
        lines = [
            f"`{window.first + offset}.` {track_text.line(entry.track, _LINE)}"
            for offset, entry in enumerate(window.entries)
        ]
        parts.append("**Up next**\n" + "\n".join(lines))
    return info("📜 Queue", "\n\n".join(parts), footer=_footer(view, window))


def _now(view: PlayerView) -> str:
    if view.current is None:
        return "**Now Playing**\nNothing"
    track = view.current.track
    at = track_text.clock_time(view.position_ms)
    state = " · paused" if view.paused else ""
    return f"**Now Playing**\n{track_text.line(track, _LINE)} · at `{at}`{state}"


def _footer(view: PlayerView, window: QueuePage) -> str:
    if not window.total:
        return "Nothing comes after this"
    tracks = "1 track" if window.total == 1 else f"{window.total:,} tracks"
    parts = [f"{tracks} · {track_text.clock_time(window.total_ms)}", _LOOPS[view.loop]]
    return " · ".join(part for part in parts if part)
