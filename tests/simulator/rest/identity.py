"""Who the bot is, and where its gateway stands."""

from tests.simulator.channel import DirectChannel
from tests.simulator.errors import CannotMessageUser, Json, UnknownUser
from tests.simulator.rest.call import Answer, Call
from tests.simulator.rest.router import RouteTable

routes = RouteTable()

_DAY_MS = 86_400_000


@routes.add("GET", "/gateway", anonymous=True)
def gateway(call: Call) -> Answer:
    return Answer(200, {"url": call.world.gateway_url})


@routes.add("GET", "/gateway/bot")
def gateway_bot(call: Call) -> Answer:
    application = call.world.application
    starts = application.session_starts
    return Answer(
        200,
        {
            "url": call.world.gateway_url,
            "shards": application.shards,
            "session_start_limit": {
                "total": starts.total,
                "remaining": starts.remaining,
                "reset_after": _DAY_MS,
                "max_concurrency": starts.max_concurrency,
            },
        },
    )


@routes.add("GET", "/users/@me")
def current_user(call: Call) -> Answer:
    return Answer(200, {**call.world.bot.json(), "verified": True, "mfa_enabled": True})


@routes.add("GET", "/users/{user_id}")
def user(call: Call) -> Answer:
    found = call.world.users.get(call.id("user_id"))
    if found is None:
        raise UnknownUser
    return Answer(200, found.json())


@routes.add("GET", "/users/@me/guilds")
def current_user_guilds(call: Call) -> Answer:
    guilds: list[Json] = [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "owner": False,
            "permissions": str(int(guild.me.permissions)),
            "features": [],
        }
        for guild in call.world.guilds.values()
    ]
    return Answer(200, guilds)


@routes.add("POST", "/users/@me/channels")
def open_direct_channel(call: Call) -> Answer:
    form = call.form
    recipient_id = form.snowflake("recipient_id", required=True)
    form.finish()
    recipient = call.world.users.get(recipient_id or 0)
    if recipient is None:
        raise UnknownUser
    if recipient.bot:
        raise CannotMessageUser
    channel: DirectChannel = call.world.direct_channel(recipient)
    return Answer(200, channel.json())


def _application(call: Call) -> Answer:
    application = call.world.application
    return Answer(200, {**application.json(), "approximate_guild_count": len(call.world.guilds)})


for _path in ("/oauth2/applications/@me", "/applications/@me"):
    routes.add("GET", _path)(_application)
