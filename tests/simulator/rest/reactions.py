"""Reactions to messages (Discord, "Message Resource")."""

from tests.simulator.emoji import is_emoji
from tests.simulator.errors import MissingPermissions, TooManyReactions, UnknownEmoji, UnknownUser
from tests.simulator.message import SimMessage
from tests.simulator.people import User
from tests.simulator.permissions import P
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.rate_limits import Limit
from tests.simulator.rest.router import RouteTable
from tests.simulator.snowflake import as_snowflake

routes = RouteTable()

_ALL = "/channels/{channel_id}/messages/{message_id}/reactions"
_ONE = _ALL + "/{emoji}"
_LIMIT = Limit("reactions", 1, 0.25)
_MOST_EMOJI = 20


@routes.add("PUT", _ONE + "/@me", _LIMIT)
def add(call: Call) -> Answer:
    message, emoji = _message(call), _emoji(call)
    allowed = call.world.allowed(message.channel)
    if not allowed & P.READ_MESSAGE_HISTORY:
        raise MissingPermissions
    if emoji not in message.reactions:
        if not allowed & P.ADD_REACTIONS:
            raise MissingPermissions
        if len(message.reactions) >= _MOST_EMOJI:
            raise TooManyReactions
    call.world.board.react(message, emoji, call.world.bot)
    return NO_CONTENT


@routes.add("DELETE", _ONE + "/@me", _LIMIT)
def remove_own(call: Call) -> Answer:
    call.world.board.unreact(_message(call), _emoji(call), call.world.bot)
    return NO_CONTENT


@routes.add("DELETE", _ONE + "/{user_id}", _LIMIT)
def remove_of_user(call: Call) -> Answer:
    message, emoji = _message(call), _emoji(call)
    user = call.world.users.get(call.id("user_id"))
    if user is None:
        raise UnknownUser
    if user is not call.world.bot:
        _must_manage(call, message)
    call.world.board.unreact(message, emoji, user)
    return NO_CONTENT


@routes.add("DELETE", _ONE, _LIMIT)
def remove_emoji(call: Call) -> Answer:
    message, emoji = _message(call), _emoji(call)
    _must_manage(call, message)
    call.world.board.clear_reactions(message, emoji)
    return NO_CONTENT


@routes.add("DELETE", _ALL, _LIMIT)
def remove_all(call: Call) -> Answer:
    message = _message(call)
    _must_manage(call, message)
    call.world.board.clear_reactions(message)
    return NO_CONTENT


@routes.add("GET", _ONE)
def users(call: Call) -> Answer:
    found: list[User] = _message(call).reactions.get(_emoji(call), [])
    return Answer(200, [user.json() for user in found])


def _message(call: Call) -> SimMessage:
    channel = call.world.channel(call.id("channel_id"))
    return call.world.message(channel, call.id("message_id"))


def _emoji(call: Call) -> str:
    emoji = call.parameters["emoji"]
    name, colon, emoji_id = emoji.partition(":")
    if colon:
        number = as_snowflake(emoji_id)
        if not name or number is None or not call.world.knows_emoji(number):
            raise UnknownEmoji
    elif not is_emoji(emoji):
        raise UnknownEmoji
    return emoji


def _must_manage(call: Call, message: SimMessage) -> None:
    if not call.world.allowed(message.channel) & P.MANAGE_MESSAGES:
        raise MissingPermissions
