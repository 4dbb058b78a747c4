"""When the address of a voice connection is complete, in every order of Discord's events."""

from bot.adapters.voice_handshake import VoiceAddress, VoiceHandshake


def address(token: str, *, channel_id: int = 1, session_id: str = "s") -> VoiceAddress:
    return VoiceAddress(session_id=session_id, channel_id=channel_id, token=token, endpoint="e")


def joined() -> VoiceHandshake:
    handshake = VoiceHandshake()
    handshake.ask_for(1)
    handshake.state("s", 1, now=0)
    handshake.server("t1", "e", now=0)
    return handshake


def test_join_is_complete_with_the_later_of_both_events() -> None:
    state_first = VoiceHandshake()
    state_first.ask_for(1)
    assert state_first.state("s", 1, now=0) is None
    assert state_first.server("t1", "e", now=0) == address("t1")
    server_first = VoiceHandshake()
    server_first.ask_for(1)
    assert server_first.server("t1", "e", now=0) is None
    assert server_first.state("s", 1, now=0) == address("t1")


def test_own_move_waits_for_the_new_channel_in_either_order() -> None:
    state_first = joined()
    state_first.ask_for(2)
    assert state_first.state("s", 2, now=9) is None
    assert state_first.server("t2", "e", now=9) == address("t2", channel_id=2)
    server_first = joined()
    server_first.ask_for(2)
    assert server_first.server("t2", "e", now=9) is None
    assert server_first.state("s", 2, now=9) == address("t2", channel_id=2)


def test_move_by_somebody_else_never_uses_the_old_token_for_the_new_channel() -> None:
    state_first = joined()
    assert state_first.state("s", 2, now=9) is None
    assert state_first.server("t2", "e", now=9) == address("t2", channel_id=2)


def test_move_by_somebody_else_is_put_right_when_the_server_came_first() -> None:
    handshake = joined()
    assert handshake.server("t2", "e", now=9.0) == address("t2")
    assert handshake.state("s", 2, now=9.1) == address("t2", channel_id=2)


def test_exchanged_voice_server_is_used_at_once() -> None:
    assert joined().server("t2", "e", now=9) == address("t2")


def test_voice_server_that_is_gone_is_waited_for() -> None:
    handshake = joined()
    assert handshake.server("t2", None, now=9) is None
    assert handshake.address is None
    assert handshake.server("t3", "e", now=10) == address("t3")


def test_mute_and_deaf_are_no_news() -> None:
    assert joined().state("s", 1, now=0.1) is None


def test_new_gateway_session_is_used_with_its_voice_server() -> None:
    handshake = joined()
    assert handshake.state("s2", 1, now=9) is None
    assert handshake.server("t2", "e", now=9) == address("t2", session_id="s2")
