"""Tells Discord which slash commands there are, in two requests at most."""

import logging

from nextcord.http import HTTPClient, Route

from bot.kit.dual_command import CommandSet
from bot.kit.slash_payload import payloads, same

_log = logging.getLogger(__name__)


async def publish(http: HTTPClient, *, application_id: int, commands: CommandSet) -> bool:
    """Replace Discord's list of our global commands if it is another one; say whether it was.

    Raises:
        nextcord.HTTPException: Discord does not take the list.
    """
    path = "/applications/{application_id}/commands"
    known = await http.request(Route("GET", path, application_id=application_id))
    ours = payloads(commands)
    if same(ours, known):
        return False
    await http.request(Route("PUT", path, application_id=application_id), json=ours)
    _log.info("registered %d slash commands", len(ours))
    return True
