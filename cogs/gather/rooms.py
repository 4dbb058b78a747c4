"""The voice channels of guilds as gatherings need them: who is where, and out with whom."""

from collections.abc import Iterable

import aiohttp
import nextcord

from services.errors import Refusal
from services.gather.ports import MayNotDisconnect, NotDone

_NOT_CONNECTED = 40032  # "Target user is not connected to voice."
_UNKNOWN_MEMBER = 10007
_PAGE = 1000
_PAGES = 10
_MOST_IN_ROLE = 100

type Human = tuple[int, str]
"""Id and shown name of a member who is no bot."""


class Rooms:
    """Reads nextcord's cache, which the gateway keeps true, and disconnects members."""

    def __init__(self, client: nextcord.Client) -> None:
        self._client = client

    def people_in(self, guild_id: int, channel_id: int) -> frozenset[int] | None:
        """Return who is in a voice channel, bots left out; None where there is no such channel."""
        guild = self._client.get_guild(guild_id)
        channel = guild.get_channel(channel_id) if guild is not None else None
        if not isinstance(channel, nextcord.VoiceChannel | nextcord.StageChannel):
            return None
        return frozenset(u for u in channel.voice_states if not _is_bot(channel.guild, u))

    def is_in(self, guild_id: int, channel_id: int, user_id: int) -> bool:
        """Tell whether somebody is in that voice channel now."""
        return user_id in (self.people_in(guild_id, channel_id) or ())

    def name_of(self, guild_id: int, user_id: int) -> str | None:
        """Return the name that others see, None where the member is not known here."""
        guild = self._client.get_guild(guild_id)
        member = guild.get_member(user_id) if guild is not None else None
        return None if member is None else member.display_name

    def names_of(self, guild_id: int, user_ids: Iterable[int]) -> dict[int, str]:
        """Return the names of those who are known here."""
        found = ((user_id, self.name_of(guild_id, user_id)) for user_id in user_ids)
        return {user_id: name for user_id, name in found if name is not None}

    def may_write(self, guild_id: int, channel_id: int) -> bool:
        """Tell whether the bot may post its messages in a channel, as far as it knows."""
        guild = self._client.get_guild(guild_id)
        channel = guild.get_channel_or_thread(channel_id) if guild is not None else None
        if guild is None or channel is None:
            return True
        allowed = channel.permissions_for(guild.me)
        thread = isinstance(channel, nextcord.Thread)
        may_send = allowed.send_messages_in_threads if thread else allowed.send_messages
        return allowed.view_channel and may_send and allowed.embed_links

    async def humans_with_role(self, guild_id: int, role_id: int) -> tuple[Human, ...]:
        """Ask Discord who has a role; bots are left out.

        Raises:
            Refusal: there is no such role, nobody or more than 100 have it, or the guild is so
                large that it cannot be looked through.
        """
        guild = self._client.get_guild(guild_id)
        if guild is None or guild.get_role(role_id) is None or role_id == guild_id:
            raise Refusal("That is no role whose members can be expected.")
        found: list[Human] = []
        after = 0
        for _ in range(_PAGES):
            page = await self._client.http.get_members(guild_id, _PAGE, after)
            humans = [member for member in page if not member["user"].get("bot")]
            found += [
                (int(member["user"]["id"]), _shown_name(member))
                for member in humans
                if str(role_id) in member["roles"]
            ]
            if len(page) < _PAGE:
                break
            after = int(page[-1]["user"]["id"])
        else:
            raise Refusal("This server is too large to look a role up. Name the members instead.")
        if not 1 <= len(found) <= _MOST_IN_ROLE:
            raise Refusal(f"A role that is expected has 1 to {_MOST_IN_ROLE} members.")
        return tuple(found)

    async def gone_among(self, guild_id: int, user_ids: Iterable[int]) -> frozenset[int]:
        """Ask Discord which of these (100 at most) are no members any more."""
        guild = self._client.get_guild(guild_id)
        asked = frozenset(user_ids)
        if guild is None or not asked:
            return frozenset()
        members = await guild.query_members(user_ids=sorted(asked), limit=len(asked))
        return asked - {member.id for member in members}

    async def disconnect(self, guild_id: int, channel_id: int, user_id: int) -> None:
        """Take a member out of that voice channel; fine when they are not in it.

        Raises:
            MayNotDisconnect: the bot lacks *Move Members*.
            NotDone: Discord does not do it now.
        """
        if not self.is_in(guild_id, channel_id, user_id):
            return
        try:
            await self._client.http.edit_member(
                guild_id, user_id, channel_id=None, reason="Opted out of the gathering"
            )
        except nextcord.Forbidden as error:
            raise MayNotDisconnect(error.text) from None
        except nextcord.HTTPException as error:
            if error.code not in {_NOT_CONNECTED, _UNKNOWN_MEMBER}:
                raise NotDone(f"Discord answered {error.status} (code {error.code})") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotDone(type(error).__name__) from None


def _is_bot(guild: nextcord.Guild, user_id: int) -> bool:
    member = guild.get_member(user_id)
    return member is not None and member.bot


def _shown_name(member: "nextcord.types.member.MemberWithUser") -> str:
    user = member["user"]
    return member.get("nick") or user.get("global_name") or user["username"]
