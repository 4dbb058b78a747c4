"""The answer to a slash command takes the place of "thinking", and finds a way when it cannot."""

import pytest

from bot.kit.answer_place import AnswerPlace
from bot.kit.outbox import MessageGone
from bot.kit.posted import ChannelPlace
from bot.kit.replies import Json, done
from tests.fakes.interaction_answer import FakeAnswer
from tests.fakes.outbox import FakeOutbox

CHANNEL = 1
FIRST: Json = done("✅ First").body()
SECOND: Json = done("✅ Second").body()


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


def place(
    outbox: FakeOutbox, answer: FakeAnswer, *, acked: bool = True, **how: bool
) -> AnswerPlace:
    async def acknowledged() -> bool:
        return acked

    return AnswerPlace(
        answer,
        acknowledged=acknowledged,
        channel=ChannelPlace(outbox, CHANNEL),
        first=how.get("first", True),
        private=how.get("private", False),
    )


async def test_answer_first_fills_what_thinks_and_is_edited_by_its_token(
    outbox: FakeOutbox,
) -> None:
    thinking = await outbox.post(CHANNEL, done("…").body())
    answer = FakeAnswer(outbox, original=thinking)
    spot = place(outbox, answer)
    assert await spot.send(FIRST, passing=True) == thinking
    await spot.edit(thinking, SECOND)
    assert outbox.titles() == ["✅ Second"]
    assert answer.used == 2


async def test_answer_further_message_follows_up(outbox: FakeOutbox) -> None:
    answer = FakeAnswer(outbox, original=await outbox.post(CHANNEL, FIRST))
    await place(outbox, answer, first=False).send(SECOND, passing=True)
    assert outbox.titles() == ["✅ First", "✅ Second"]


async def test_answer_private_further_message_is_seen_by_the_member_alone(
    outbox: FakeOutbox,
) -> None:
    answer = FakeAnswer(outbox)
    await place(outbox, answer, first=False, private=True).send(SECOND, passing=True)
    assert answer.private == [SECOND]
    assert outbox.titles() == []


async def test_answer_whose_acknowledgement_failed_goes_to_the_channel(
    outbox: FakeOutbox,
) -> None:
    answer = FakeAnswer(outbox)
    spot = place(outbox, answer, acked=False)
    message_id = await spot.send(FIRST, passing=True)
    await spot.edit(message_id, SECOND)
    assert outbox.titles() == ["✅ Second"]
    await spot.delete(message_id)
    assert outbox.titles() == []
    assert answer.used == 0


async def test_answer_after_15_minutes_goes_on_through_the_channel(outbox: FakeOutbox) -> None:
    answer = FakeAnswer(outbox)
    spot = place(outbox, answer)
    message_id = await spot.send(FIRST, passing=True)
    answer.expired = True
    await spot.edit(message_id, SECOND)
    assert outbox.titles() == ["✅ Second"]
    await spot.delete(message_id)
    assert outbox.titles() == []


async def test_answer_sent_after_15_minutes_goes_to_the_channel(outbox: FakeOutbox) -> None:
    answer = FakeAnswer(outbox)
    answer.expired = True
    await place(outbox, answer).send(FIRST, passing=False)
    assert outbox.titles() == ["✅ First"]


async def test_answer_deleted_under_us_is_said(outbox: FakeOutbox) -> None:
    spot = place(outbox, FakeAnswer(outbox))
    message_id = await spot.send(FIRST, passing=True)
    outbox.messages.clear()
    with pytest.raises(MessageGone):
        await spot.edit(message_id, SECOND)
    await spot.delete(message_id)
