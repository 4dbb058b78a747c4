"""`play`, `playtop` and `playnow`: from a link, words or a file to music.

The voice channel is joined while the link is still looked at, so a refusal to join comes before any
success, and the first sound a round trip earlier. Nobody reads "Added" for a track that could not
start: the start comes first, and the player's "Now playing" waits until "Added" is shown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.kit.checks import same_voice_channel
from bot.kit.clicks.click import AutocompleteRequest, Choices
from bot.kit.converters import Argument, Autocomplete, File, Text, WrongArgument
from bot.kit.dual_command import CommandSpec, MenuSpec, command, menu
from bot.kit.invocation import Invocation
from bot.kit.joining import Joining
from bot.kit.people import AttachedFile, TargetMessage
from bot.kit.saving import once_saved
from bot.kit.speaking_order import SpeakingOrder
from cogs.play import presenter
from cogs.play.adding import Adding, How
from cogs.play.pointing import in_message, suggestions
from services.audio.player_service import PlayerService
from services.audio.query import SearchText, parse_query
from services.audio.resolver import Attachment, TrackResolver
from services.audio.track import Playlist, Track
from services.clock import Clock
from services.db.errors import StorageUnavailable
from services.errors import Refusal

type Pick = Callable[[Invocation, str, Sequence[Track]], Awaitable[Track | None]]
"""Lets the author choose one of the tracks found for some words."""

_FILE = File(name="file", description="An audio file", required=False)
_CHECKS = (same_voice_channel,)
_REMEMBERED = 200
"""So many lines of the history are looked through for suggestions."""


def _arguments(suggest: Autocomplete) -> tuple[Argument, ...]:
    query = Text(
        name="query",
        description="Words to search for, or a link",
        rest=True,
        required=False,
        autocomplete=suggest,
    )
    return (query, _FILE)


@dataclass(frozen=True, slots=True)
class _Wish:
    query: str | None
    file: AttachedFile | None
    how: How


class Play:
    """Brings tracks into the guild's player."""

    def __init__(
        self,
        *,
        player: PlayerService,
        resolver: TrackResolver,
        joining: Joining,
        pick: Pick,
        order: SpeakingOrder,
        clock: Clock,
        started: Callable[[float], None],
    ) -> None:
        self._player = player
        self._resolver = resolver
        self._joining = joining
        self._pick = pick
        self._order = order
        self._clock = clock
        self._started = started
        self._adding = Adding(player)

    async def suggest(self, request: AutocompleteRequest) -> Choices:
        """Suggest what was played in the guild, the newest first."""
        try:
            history = await self._player.history(request.guild_id or 0, limit=_REMEMBERED)
        except StorageUnavailable:
            return ()
        return suggestions(history, request.typed)

    @command(
        CommandSpec(
            name="play",
            summary="Play a link, a search or an attached file, after what is queued",
            arguments=_arguments(suggest),
            checks=_CHECKS,
            examples=("play never gonna give you up", "play https://youtu.be/dQw4w9WgXcQ"),
        )
    )
    async def play(self, call: Invocation, query: str | None, file: AttachedFile | None) -> None:
        """Add to the end of the queue."""
        await self._carry_out(call, _Wish(query, file, How.LAST))

    @command(
        CommandSpec(
            name="playtop",
            summary="Play a link, a search or an attached file before what is queued",
            arguments=_arguments(suggest),
            checks=_CHECKS,
            examples=("playtop https://youtu.be/dQw4w9WgXcQ",),
            details="While the music is paused, the new track starts at once.",
        )
    )
    async def playtop(self, call: Invocation, query: str | None, file: AttachedFile | None) -> None:
        """Add to the front of the queue."""
        await self._carry_out(call, _Wish(query, file, How.FIRST))

    @command(
        CommandSpec(
            name="playnow",
            summary="Play a link, a search or an attached file in place of what is playing",
            arguments=_arguments(suggest),
            checks=_CHECKS,
            examples=("playnow https://youtu.be/dQw4w9WgXcQ",),
        )
    )
    async def playnow(self, call: Invocation, query: str | None, file: AttachedFile | None) -> None:
        """Replace what is playing."""
        await self._carry_out(call, _Wish(query, file, How.NOW))

    @menu(MenuSpec(name="Play this", target="message", checks=_CHECKS))
    async def play_this(self, call: Invocation, target: TargetMessage) -> None:
        """Play the file, the link or the words of a message, after what is queued."""
        found = in_message(target)
        if found is None:
            raise Refusal("There is nothing to play in that message: no file, link or words.")
        file, query = (found, None) if isinstance(found, AttachedFile) else (None, found)
        await self._carry_out(call, _Wish(query, file, How.LAST))

    async def add(self, call: Invocation, track: Track) -> None:
        """Join the author, add a track to the end of the queue and say so.

        Raises what `play` raises.
        """
        await self._joining.join(call)
        await self._add(call, track, How.LAST)

    async def _carry_out(self, call: Invocation, wish: _Wish) -> None:
        found = await self._find(call, wish)
        if found is not None:
            await self._add(call, found, wish.how)

    async def _add(self, call: Invocation, found: Track | Playlist, how: How) -> None:
        with self._order.command_speaks(call.guild_id):
            outcome = await self._adding.add(call.guild_id, found, how)
            if outcome.started:
                self._started(self._clock.monotonic() - call.received_at)
            reply = presenter.added(outcome, by=call.author.name)
            await call.reply(await once_saved(self._player.stored, call.guild_id, reply))

    async def _find(self, call: Invocation, wish: _Wish) -> Track | Playlist | None:
        """Find what is wanted and join the author; None where the author chose nothing."""
        by = call.author.id
        if wish.file is not None:
            call.show(presenter.queuing(wish.file.filename))
            file = _attachment(wish.file)
            return await self._join_meanwhile(
                call, self._resolver.resolve_attachment(file, requested_by=by)
            )
        if wish.query is None:
            raise WrongArgument("Say what to play: words, a link, or attach a file.")
        wanted = parse_query(wish.query)
        if isinstance(wanted, SearchText):
            return await self._search(call, wanted.text)
        call.show(presenter.queuing(wanted.url))
        return await self._join_meanwhile(
            call, self._resolver.resolve(wanted, requested_by=by, guild_id=call.guild_id)
        )

    async def _search(self, call: Invocation, text: str) -> Track | None:
        call.show(presenter.searching(text))
        tracks = await self._resolver.search(
            text, requested_by=call.author.id, guild_id=call.guild_id
        )
        track = await self._pick(call, text, tracks)
        if track is not None:
            call.show(presenter.queuing(track.title))
            await self._joining.join(call)
        return track

    async def _join_meanwhile[Found](self, call: Invocation, finding: Awaitable[Found]) -> Found:
        """Join the author while `finding` goes on; the first failure of the two is raised."""
        search = asyncio.ensure_future(finding)
        joining = asyncio.ensure_future(self._joining.join(call))
        try:
            await asyncio.gather(joining, search)
        finally:
            search.cancel()
            joining.add_done_callback(_seen)  # a join under way is not torn apart
        return search.result()


def _seen(task: asyncio.Future[int]) -> None:
    if not task.cancelled():
        task.exception()


def _attachment(file: AttachedFile) -> Attachment:
    return Attachment(
        url=file.url,
        filename=file.filename,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
    )
