"""The message of each gathering: posted, kept up to date, posted anew when somebody deletes it.

Changes of a countdown show within a second, those of a check-in at most once in 5 s; the last
state always lands. The time that stands in a message is that of the edit, not of the change. A
message is posted under a nonce that is made of the gathering and of the message before it, so a
post that a crash interrupted is not shown twice: Discord answers with the first one's id. Discord
takes few edits of messages that are older than an hour (error 30046), so a long countdown moves to
a new message before.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import batched
from zoneinfo import ZoneInfo

from bot.kit.clicks.last_state import LastState
from bot.kit.outbox import MessageGone, Outbox, Undelivered
from bot.kit.replies import Json
from cogs.gather.presenter import gathering_card, mentions
from services.clock import Clock
from services.gather.gathering import Gathering
from services.gather.session import Phase

_log = logging.getLogger(__name__)

_COUNTDOWN_PACE_SECONDS = 1.0
_CHECK_IN_PACE_SECONDS = 5.0
_EDITABLE = timedelta(minutes=55)
MENTIONS_IN_MESSAGE = 80
"""A message has 2,000 characters and may ping 100 users (Discord, "Allowed Mentions")."""

type OnPost = Callable[[int], None]


class Board:
    """The messages of all gatherings of this process."""

    def __init__(self, outbox: Outbox, *, clock: Clock, zone_of: Callable[[int], ZoneInfo]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._zone_of = zone_of
        self._since = clock.now()
        self._cards: dict[int, Card] = {}

    def show(self, gathering: Gathering, *, on_post: OnPost) -> None:
        """Make this the state that members will see; return at once."""
        card = self._cards.get(gathering.id)
        if card is None:
            card = Card(
                gathering,
                self._outbox,
                clock=self._clock,
                zone_of=self._zone_of,
                on_post=on_post,
                maybe_posted=gathering.session.created_at < self._since,
            )
            self._cards[gathering.id] = card
        card.show(gathering)

    async def settled(self, gathering: Gathering) -> None:
        """Wait until the newest state is shown."""
        if (card := self._cards.get(gathering.id)) is not None:
            await card.settled()

    def deleted(self, message_ids: Iterable[int]) -> None:
        """Post those gatherings anew whose message was deleted."""
        gone = set(message_ids)
        for card in self._cards.values():
            if card.message_id in gone:
                card.post_anew()

    async def forget(self, gathering: Gathering) -> None:
        """Leave a message as it is, for good."""
        if (card := self._cards.pop(gathering.id, None)) is not None:
            await card.close()

    async def close(self) -> None:
        """Stop editing; what is not shown yet is shown at the next start."""
        for card in self._cards.values():
            await card.close()


class Card:
    """One gathering's message."""

    def __init__(
        self,
        gathering: Gathering,
        outbox: Outbox,
        *,
        clock: Clock,
        zone_of: Callable[[int], ZoneInfo],
        on_post: OnPost,
        maybe_posted: bool,
    ) -> None:
        self.message_id = gathering.message_id
        """The message that stands in the channel; None where there is none."""
        self._newest = gathering
        self._posted_at = gathering.message_at or clock.now()
        self._before = gathering.message_id or 0
        self._outbox = outbox
        self._clock = clock
        self._zone_of = zone_of
        self._on_post = on_post
        self._maybe_posted = maybe_posted
        self._pace_s = _COUNTDOWN_PACE_SECONDS
        self._editor = LastState(
            self._put, clock=clock, expected=(Undelivered,), every=lambda: self._pace_s
        )

    def show(self, gathering: Gathering) -> None:
        """Make this the newest state."""
        self._newest = gathering
        self._editor.show(gathering)

    def post_anew(self) -> None:
        """Post the newest state as a new message."""
        self.message_id = None
        self._editor.show(self._newest)

    async def settled(self) -> None:
        """Wait until the newest state is shown."""
        await self._editor.settled()

    async def close(self) -> None:
        """Stop editing."""
        await self._editor.close()

    async def _put(self, gathering: Gathering) -> None:
        if self.message_id is not None and gathering.open and self._old:
            old = self.message_id
            await self._post(gathering)
            await self._outbox.delete(gathering.text_channel_id, old)
        elif self.message_id is not None:
            try:
                await self._edit(gathering, self.message_id)
            except MessageGone:
                _log.info("the message of a gathering was deleted; it is posted anew")
                await self._post(gathering)
        else:
            await self._post(gathering)

    @property
    def _old(self) -> bool:
        return self._clock.now() - self._posted_at > _EDITABLE

    async def _edit(self, gathering: Gathering, message_id: int) -> None:
        await self._outbox.edit(gathering.text_channel_id, message_id, self._body(gathering))
        counting = gathering.session.phase is Phase.COUNTDOWN
        self._pace_s = _COUNTDOWN_PACE_SECONDS if counting else _CHECK_IN_PACE_SECONDS

    async def _post(self, gathering: Gathering) -> None:
        if not self._before:
            await self._call(gathering)
        self.message_id = await self._outbox.post(
            gathering.text_channel_id,
            self._body(gathering),
            nonce=nonce_of(gathering, "card", self._before),
        )
        self._before = self.message_id
        self._posted_at = self._clock.now()
        self._pace_s = _COUNTDOWN_PACE_SECONDS
        self._on_post(self.message_id)
        if self._maybe_posted:
            # the process before this one may have posted it: then this is still its old state
            self._maybe_posted = False
            await self._edit(gathering, self.message_id)

    async def _call(self, gathering: Gathering) -> None:
        """Ping those who were in the channel at the start."""
        first = gathering.session.created_at
        present = sorted(u for u, stay in gathering.stays.items() if stay.first_join == first)
        for number, some in enumerate(batched(present, MENTIONS_IN_MESSAGE)):
            await self._outbox.post(
                gathering.text_channel_id,
                ping(f"📣 {mentions(some)}", some),
                nonce=nonce_of(gathering, "call", number),
            )

    def _body(self, gathering: Gathering) -> Json:
        zone = self._zone_of(gathering.guild_id)
        return gathering_card(gathering, now=self._clock.now(), zone=zone).body()


def ping(content: str, user_ids: Iterable[int]) -> Json:
    """Return a plain message that pings these users and nobody else."""
    users = [str(user_id) for user_id in user_ids]
    return {"content": content, "allowed_mentions": {"parse": [], "users": users}}


def nonce_of(gathering: Gathering, what: str, number: int = 0) -> str:
    """Return the nonce under which a message is sent once (Discord: 25 characters)."""
    created = gathering.session.created_at.timestamp()
    whole = f"{gathering.guild_id}/{gathering.id}/{created}/{what}/{number}"
    return hashlib.blake2s(whole.encode(), digest_size=12).hexdigest()
