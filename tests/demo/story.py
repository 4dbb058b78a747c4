"""The story: what members do, what they see, how fast clicks are acknowledged, what is heard."""

import asyncio
import time

from tests.demo.screen import Screen
from tests.demo.stage import TONES, Stage
from tests.simulator.message import SimMessage

_NEXT, _PREVIOUS = "▶", "◀"
_BURST = 12


class Story:
    """One evening in the Music Club, in under a minute."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen

    async def tell(self) -> None:
        """Play all scenes; an `AssertionError` says which promise was broken."""
        await self._start()
        await self._play_a_file()
        await self._search()
        await self._pages()
        await self._burst()
        await self._skip()
        await self._volume()
        await self._pause()

    # ── scenes ──────────────────────────────────────────────────────────────
    async def _start(self) -> None:
        people = (self._stage.ada, self._stage.ben, *self._stage.audience)
        self._screen.names = {member.id: str(member) for member in people}
        self._screen.chapter("The bot starts: one process, its audio node, its database")
        began = time.monotonic()
        await self._stage.start_bot()
        self._screen.good(f"answering commands after {time.monotonic() - began:.1f} s")
        for member in (self._stage.ada, self._stage.ben):
            await member.join(self._stage.lounge)
            self._screen.does(member, "joins the voice channel Lounge")

    async def _play_a_file(self) -> None:
        self._screen.chapter("A direct link: Queuing, Added, Now playing, sound")
        url = self._stage.site.url(TONES[0])
        began, sent = await self._says(f"!play {url}")
        answer = await self._answer("Added to queue", sent)
        playing = await self._answer("Now playing", sent)
        heard = await self._stage.guild.ear.hears(440, within=10, since=began)
        self._screen.shows(answer)
        self._screen.shows(playing)
        self._screen.good(
            f"first sound {_ms(heard.at - began)} after the command, joining included"
        )
        await self._listen(1.5)

    async def _search(self) -> None:
        self._screen.chapter("A search: five results with a button each")
        _, sent = await self._says("!play low tide", who="ben")
        picker = await self._answer("", sent, buttons=True)
        self._screen.shows(picker)
        outcome = await self._stage.ben.click(picker, "1")
        self._screen.does(self._stage.ben, "clicks 1")
        self._screen.good(f"acknowledged after {outcome.ack_ms:.0f} ms")
        self._screen.shows(await self._answer("Added to queue", sent))

    async def _pages(self) -> None:
        self._screen.chapter("The queue: pages turned by buttons, by their owner only")
        _, sent = await self._says(f"!play {self._stage.site.url('/list/tides')}")
        await self._answer("Added", sent)
        for tone in TONES[1:]:
            _, sent = await self._says(f"!play {self._stage.site.url(tone)}")
            await self._answer("Added to queue", sent)
        _, sent = await self._says(f"!play {self._stage.site.url('/list/bomb')}")
        await self._answer("Added", sent, within=20)
        self._queue_message = await self._queue()
        self._screen.shows(self._queue_message)
        for button in (_NEXT, _NEXT, _PREVIOUS):
            outcome = await self._stage.ada.click(self._queue_message, button)
            self._screen.does(self._stage.ada, f"clicks {button}")
            self._screen.good(f"acknowledged after {outcome.ack_ms:.0f} ms")
        await self._page_is(2)
        self._screen.shows(self._queue_message)

    async def _burst(self) -> None:
        people = self._stage.audience
        self._screen.chapter(
            f"{len(people)} members and the owner click like mad at the same moment"
        )
        message = self._queue_message
        began = time.monotonic()
        clicks = [fan.click_soon(message, _NEXT) for fan in people]
        clicks += [self._stage.ada.click_soon(message, _NEXT) for _ in range(_BURST)]
        outcomes = await asyncio.gather(*clicks)
        slowest = max(outcome.ack_ms or 0.0 for outcome in outcomes)
        failed = sum(not outcome.acknowledged for outcome in outcomes)
        assert not failed, f"{failed} clicks were not acknowledged"
        self._screen.good(
            f"{len(outcomes)} of {len(outcomes)} acknowledged, the slowest after {slowest:.0f} ms; "
            "the members were told whose menu it is"
        )
        await self._page_is(2 + _BURST)
        self._screen.good(
            f"the owner's {_BURST} clicks all count, shown {_ms(time.monotonic() - began)} later"
        )
        self._screen.shows(message)

    async def _skip(self) -> None:
        self._screen.chapter("Skip: the next track was opened long before")
        began, sent = await self._says("!skip")
        heard = await self._stage.guild.ear.hears(330, within=10, since=began)
        self._screen.shows(await self._answer("", sent))
        self._screen.good(f"the next track is heard {_ms(heard.at - began)} after the command")
        await self._listen(1.0, back=1.0)

    async def _volume(self) -> None:
        self._screen.chapter("Volume")
        before = await self._stage.guild.ear.loudness(seconds=0.4)
        _, sent = await self._says("!volume 25")
        self._screen.shows(await self._answer("", sent))
        await self._listen(0.8, back=0.6)
        after = await self._stage.guild.ear.loudness(seconds=0.4)
        self._screen.good(f"{before:.1f} dB became {after:.1f} dB")

    async def _pause(self) -> None:
        self._screen.chapter("Pause and resume")
        began, _ = await self._says("!pause")
        ended = await self._stage.guild.ear.silence(within=5)
        self._screen.good(f"silent {_ms(max(0.0, ended - began))} after the command")
        began, _ = await self._says("!resume")
        await self._stage.guild.ear.hears(330, within=5, since=began)
        await self._listen(0.8, back=1.2)

    # ── words of the story ──────────────────────────────────────────────────
    async def _says(self, text: str, *, who: str = "ada") -> tuple[float, SimMessage]:
        member = self._stage.ben if who == "ben" else self._stage.ada
        self._screen.does(member, text)
        began = time.monotonic()
        return began, await member.say(self._stage.general, text)

    async def _answer(
        self, title: str, sent: SimMessage, *, buttons: bool = False, within: float = 10
    ) -> SimMessage:
        return await self._stage.general.expect(
            title=title,
            author=self._stage.discord.bot,
            after=sent,
            where=lambda message: bool(message.labels) or not buttons,
            within=within,
        )

    async def _queue(self) -> SimMessage:
        _, sent = await self._says("!queue")
        return await self._answer("", sent, buttons=True)

    async def _page_is(self, number: int) -> None:
        message = self._queue_message

        def shown() -> bool | None:
            return any(b.get("label", "").startswith(f"{number}/") for b in message.buttons) or None

        assert await message.news.until(shown, 10), f"page {number} did not come"

    async def _listen(self, seconds: float, *, back: float = 0.0) -> None:
        since = time.monotonic() - back
        await asyncio.sleep(seconds)
        self._screen.plays(self._stage.guild.ear.timeline(since=since))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
