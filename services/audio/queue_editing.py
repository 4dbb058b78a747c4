"""What members do to the order of a queue, and how they take it back.

Whatever may have to look at a whole queue of 100,000 tracks does so in slices.
"""

import random
from collections.abc import Callable

from services.audio.errors import NothingPlaying
from services.audio.guild_player import GuildPlayer
from services.audio.placed_tracks import DroppedTracks, in_slices
from services.audio.player_state import Edited, Found, QueuedTrack
from services.audio.undo_log import Change, Moved, Removed, Shuffled, Skipped
from services.errors import NothingFound, Refusal

type PlayerOf = Callable[[int], GuildPlayer]

_TOO_LATE = "There is nothing to undo: a change can be taken back once, within a minute."


class QueueEditing:
    """Changes the queues of all guilds; each change can be undone for a minute."""

    def __init__(self, player_of: PlayerOf) -> None:
        self._player_of = player_of
        self._rng = random.Random()

    def clear(self, guild_id: int) -> Edited:
        """Empty the queue; see `PlayerService.clear`."""
        player = self._player_of(guild_id)
        if not (count := len(player.queue)):
            raise NothingPlaying("The queue is empty already.")
        return _removed(player, player.queue.clear(), count=count)

    def remove(self, guild_id: int, position: int) -> Edited:
        """Take one track out; see `PlayerService.remove`."""
        player = self._player_of(guild_id)
        check_position(position, len(player.queue))
        key = player.queue.key_at(position)
        gone = player.queue.remove_at(position)
        dropped = DroppedTracks()
        dropped.add(int(gone.entry_id), key, gone.track)
        return _removed(player, dropped, count=1)

    async def remove_range(self, guild_id: int, first: int, last: int) -> Edited:
        """Take several out; see `PlayerService.remove_range`."""
        player = self._player_of(guild_id)
        first, last = min(first, last), max(first, last)
        check_position(first, len(player.queue))
        check_position(last, len(player.queue))
        return await _sifted(player, lambda _: True, first=first, last=last)

    async def remove_of(self, guild_id: int, user_id: int) -> Edited:
        """Take a member's tracks out; see `PlayerService.remove_of`."""
        player = self._player_of(guild_id)
        return await _sifted(
            player,
            lambda entry: entry.track.requested_by == user_id,
            otherwise="None of the queued tracks is yours.",
        )

    async def remove_duplicates(self, guild_id: int) -> Edited:
        """Leave each track once; see `PlayerService.remove_duplicates`."""
        seen: set[str] = set()

        def seen_before(entry: QueuedTrack) -> bool:
            known = entry.track.url in seen
            seen.add(entry.track.url)
            return known

        player = self._player_of(guild_id)
        return await _sifted(player, seen_before, otherwise="No track is queued twice.")

    def move(self, guild_id: int, position: int, *, to: int) -> Edited:
        """Put a track to another place; see `PlayerService.move`."""
        player = self._player_of(guild_id)
        check_position(position, len(player.queue))
        check_position(to, len(player.queue))
        key = player.queue.key_at(position)
        moved = player.queue.move(position, to)
        player.queue_changed()
        undo = player.undo_log.note(Moved(moved, key))
        return Edited(track=moved.track, count=1, undo=undo)

    async def shuffle(self, guild_id: int) -> Edited:
        """Mix the queue; see `PlayerService.shuffle`."""
        player = self._player_of(guild_id)
        head, count = player.queue.head, len(player.queue)
        if head is None or count <= 1:
            raise NothingPlaying("There is nothing to shuffle: fewer than two tracks are queued.")
        undo = player.undo_log.note(Shuffled(player.queue.order()))
        await in_slices(player.queue.shuffle(self._rng))
        player.queue_changed()
        return Edited(track=(player.queue.head or head).track, count=count, undo=undo)

    async def undo(self, guild_id: int, number: int | None) -> Change:
        """Take a change back; see `PlayerService.undo`."""
        player = self._player_of(guild_id)
        change = player.undo_log.take(number)
        match change:
            case Removed(dropped=dropped):
                await in_slices(player.queue.restore(dropped))
            case Moved(entry=entry, order_key=key):
                if not player.queue.return_to(entry.entry_id, key):
                    raise Refusal("That track is not queued any more.")
            case Shuffled(order=order):
                await in_slices(player.queue.reorder(order))
            case Skipped():
                await player.unskip(change)
            case None:
                raise Refusal(_TOO_LATE)
        player.queue_changed()
        if player.queue.current is None and player.session.voice_channel_id is not None:
            await player.kick_off(replace=False)  # what was missed may have been the last track
        return change

    async def find(self, guild_id: int, text: str, *, limit: int) -> Found:
        """Search the queue; see `PlayerService.find`."""
        words = text.casefold().split()
        entries: list[tuple[int, QueuedTrack]] = []
        total = 0

        def fits(entry: QueuedTrack) -> bool:
            nonlocal total
            title = f"{entry.track.title} {entry.track.artist or ''}".casefold()
            if all(word in title for word in words):
                total += 1
                if len(entries) < limit:
                    entries.append((player.queue.position_of(entry.entry_id) or 0, entry))
            return False

        player = self._player_of(guild_id)
        await in_slices(player.queue.sift(fits, DroppedTracks()))
        return Found(entries=tuple(entries), total=total)


async def _sifted(
    player: GuildPlayer,
    unwanted: Callable[[QueuedTrack], bool],
    *,
    first: int = 1,
    last: int | None = None,
    otherwise: str = "Nothing was removed.",
) -> Edited:
    dropped = DroppedTracks()
    await in_slices(player.queue.sift(unwanted, dropped, first=first, last=last))
    if not dropped:
        raise NothingFound(otherwise if len(player.queue) else "The queue is empty.")
    return _removed(player, dropped, count=len(dropped))


def _removed(player: GuildPlayer, dropped: DroppedTracks, *, count: int) -> Edited:
    track = dropped.first
    assert track is not None
    player.queue_changed()
    undo = player.undo_log.note(Removed(dropped, count))
    return Edited(track=track, count=count, undo=undo)


def check_position(position: int, length: int) -> None:
    """Let positions pass that the queue has.

    Raises:
        Refusal: there is no such position; the sentence names the valid ones.
    """
    if 1 <= position <= length:
        return
    if length == 0:
        raise Refusal("The queue is empty.")
    valid = "only 1" if length == 1 else f"1 to {length}"
    raise Refusal(f"There is no track number {position} in the queue; valid is {valid}.")
