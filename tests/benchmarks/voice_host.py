"""Discord's voice server in a process of its own, so that it and the node do not share a core."""

import asyncio
from typing import Any

from tests.benchmarks.child import Json, answer_questions
from tests.simulator.voice import Ear, VoiceServer
from tests.simulator.voice.measures import FRAME_SECONDS

CHANNEL = 77


async def _main() -> None:
    async with VoiceServer(decode=False) as voice:
        ready = {"endpoint": voice.endpoint, "ca_file": str(voice.ca_file)}

        async def answer(question: Json) -> object:
            match question["what"]:
                case "admit":
                    _admit(voice, question)
                case "measure":
                    ears = [voice.ear(guild) for guild in question["guilds"]]
                    return _measure(ears, question["since"], question["until"])
            return None

        await answer_questions(answer, ready=ready)


def _admit(voice: VoiceServer, question: Json) -> None:
    for guild in question["guilds"]:
        voice.admit(
            guild_id=guild,
            channel_id=CHANNEL,
            user_id=question["user"],
            session_id=f"vs{guild}",
            token=f"tok{guild}",
        )


def _measure(ears: list[Ear], since: float, until: float) -> Json:
    """Return lateness (ms, ascending), packets, and what is missing or wrong."""
    late: list[float] = []
    packets = missing = 0
    violations: list[str] = []
    expected = round((until - since) / FRAME_SECONDS)
    for ear in ears:
        gaps = ear.gaps(since=since, until=until)
        packets += gaps.packets
        # the window's ends cut a slot in two: one packet more or less is none lost
        unsent = max(0, expected - 1 - gaps.packets)
        missing += max(gaps.lost, unsent) + gaps.silent_frames + len(gaps.timestamp_errors)
        late += ear.lateness(since=since, until=until).each_ms
        violations += ear.violations
    result: dict[str, Any] = {"packets": packets, "missing": missing}
    return {**result, "late": sorted(late), "violations": violations[:5]}


if __name__ == "__main__":
    asyncio.run(_main())
