"""Buttons that outlive a restart: their clicks go to consumers by custom id, as in the stream."""

from bot.kit.clicks.custom_id import has_prefix
from bot.kit.clicks.durable import ClickConsumer
from bot.kit.people import GuildMember
from tests.fakes.discord_guild import FakeGuild
from tests.fakes.interaction_answer import FakeAnswer


class DurableButtons:
    """Stands where `bot.kit.clicks.router.Clicks` does for durable consumers."""

    def __init__(self, guild: FakeGuild) -> None:
        self._guild = guild
        self._consumers: dict[str, tuple[ClickConsumer, bool]] = {}

    def durable(self, prefix: str, consumer: ClickConsumer, *, decides: bool = False) -> None:
        self._consumers[prefix] = (consumer, decides)

    async def press(
        self, label: str, *, by: GuildMember, on: int | None = None, acknowledged: bool = True
    ) -> FakeAnswer:
        """Click a button of the newest message, or of `on`; return the way to answer it."""
        click, answer = self._guild.clicked(label, by=by, on=on, acknowledged=acknowledged)
        fitting = [prefix for prefix in self._consumers if has_prefix(click.custom_id, prefix)]
        consumer, decides = self._consumers[max(fitting, key=len)]
        if acknowledged or decides:
            await consumer(click)
        return answer
