"""A guild as commands see it: members who give commands and click, and what they can read."""

import itertools
from collections.abc import Callable
from dataclasses import replace

from bot.kit.clicks.click import Click
from bot.kit.clicks.stream import ClickStream
from bot.kit.invocation import Invocation
from bot.kit.people import GuildMember
from bot.kit.posted import Messages
from tests.fakes.interaction_answer import FakeAnswer
from tests.fakes.manual_clock import ManualClock, settle
from tests.fakes.outbox import FakeOutbox

GUILD = 10
TEXT = 20
LOUNGE = 70
OTHER_ROOM = 71
ADA = GuildMember(id=100000000000000001, name="Ada", voice_channel_id=LOUNGE)
BEN = GuildMember(id=100000000000000002, name="Ben", voice_channel_id=LOUNGE)
CARA = GuildMember(id=100000000000000003, name="Cara")


class FakeGuild:
    """One guild with a text channel; also the source of click streams for menus."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.outbox = FakeOutbox()
        self.messages = Messages(self.outbox, self.clock)
        self.bot_channel: Callable[[], int | None] = lambda: None
        self._streams: dict[int, tuple[ClickStream, int | None]] = {}
        self._numbers = itertools.count(1)

    def call(self, author: GuildMember = ADA, *, prefix: str = "!") -> Invocation:
        """Return a command that `author` gives now."""
        return Invocation(
            guild_id=GUILD,
            channel_id=TEXT,
            author=author,
            command="test",
            prefix=prefix,
            bot_voice_channel_id=self.bot_channel(),
            received_at=self.clock.monotonic(),
            answer=self.messages.in_channel(TEXT),
            another=lambda: self.messages.in_channel(TEXT),
        )

    def open(self, message_id: int, *, owner_id: int | None = None) -> ClickStream:
        """Open a stream, as `Clicks` does."""
        stream = ClickStream(
            message_id, clock=self.clock, on_close=lambda: self._forget(message_id)
        )
        self._streams[message_id] = (stream, owner_id)
        return stream

    def _forget(self, message_id: int) -> None:
        self._streams.pop(message_id, None)

    def labels(self, message_id: int | None = None) -> list[str]:
        """Return the labels of the buttons that can be clicked on a message."""
        return [b["label"] for b in self._buttons(message_id) if not b.get("disabled")]

    def click(self, label: str, *, by: GuildMember = ADA, on: int | None = None) -> FakeAnswer:
        """Click a button of the newest message, or of `on`; return the way to answer it."""
        click, answer = self.clicked(label, by=by, on=on)
        stream, owner_id = self._streams[click.message_id]
        if owner_id in (None, by.id):
            stream.push(click)
        return answer

    def clicked(
        self, label: str, *, by: GuildMember, on: int | None = None, acknowledged: bool = True
    ) -> tuple[Click, FakeAnswer]:
        """Return a click on a button of the newest message, or of `on`, and how to answer it."""
        message_id = self.outbox.newest_id() if on is None else on
        custom_id = next(b["custom_id"] for b in self._buttons(on) if b["label"] == label)
        answer = FakeAnswer(self.outbox, original=message_id)
        answer.expired = not acknowledged
        click = self._clicked(custom_id, message_id, by=by, answer=answer)
        return replace(click, acknowledged=acknowledged), answer

    def serving(self) -> int:
        """Count the menus that wait for clicks."""
        return len(self._streams)

    def _clicked(
        self, custom_id: str, message_id: int, *, by: GuildMember, answer: FakeAnswer
    ) -> Click:
        return Click(
            number=next(self._numbers),
            user_id=by.id,
            user_name=by.name,
            guild_id=GUILD,
            channel_id=TEXT,
            permissions=by.permissions,
            role_ids=by.role_ids,
            received_at=self.clock.monotonic(),
            custom_id=custom_id,
            values=(),
            message_id=message_id,
            acknowledged=True,
            token="token",
            answer=answer,  # type: ignore[arg-type]  # has what menus use
        )

    def _buttons(self, message_id: int | None) -> list[dict[str, str]]:
        message = self.outbox.messages[
            self.outbox.newest_id() if message_id is None else message_id
        ]
        return [button for row in message["components"] for button in row["components"]]


def in_voice(member: GuildMember, channel_id: int | None) -> GuildMember:
    """Return the member in another voice channel, or in none."""
    return replace(member, voice_channel_id=channel_id)


__all__ = ["ADA", "BEN", "CARA", "GUILD", "LOUNGE", "OTHER_ROOM", "TEXT", "FakeGuild", "settle"]
