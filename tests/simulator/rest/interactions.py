"""Answers to interactions; the token in the path is all the credential there is."""

from tests.simulator.errors import UnknownInteraction
from tests.simulator.interactions.interaction import Callback
from tests.simulator.interactions.registry import callback_json
from tests.simulator.message_json import message_json
from tests.simulator.rest.call import NO_CONTENT, Answer, Call
from tests.simulator.rest.router import RouteTable
from tests.simulator.snowflake import as_snowflake

routes = RouteTable()

_WITH_MESSAGE = frozenset({Callback.MESSAGE, Callback.UPDATE})


@routes.add("POST", "/interactions/{interaction_id}/{token}/callback", anonymous=True, exempt=True)
def callback(call: Call) -> Answer:
    interaction_id = as_snowflake(call.parameters["interaction_id"])
    if interaction_id is None:
        raise UnknownInteraction
    interaction = call.world.interactions.callback(
        interaction_id, call.parameters["token"], call.form, call.uploads
    )
    if call.query.get("with_response", "").lower() not in {"true", "1"}:
        return NO_CONTENT
    message = interaction.original
    shown = (
        message_json(message, call.world.bot)
        if message is not None and interaction.answered_with in _WITH_MESSAGE
        else None
    )
    return Answer(200, callback_json(interaction, shown))
