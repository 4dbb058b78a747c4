"""Discord on one machine over loopback: as strict as Discord, with people who use it."""

from tests.simulator.attachments import Upload
from tests.simulator.channel import Channel, TextChannel, VoiceChannel
from tests.simulator.guild import Guild
from tests.simulator.interactions.outcome import Modal, Outcome
from tests.simulator.member import Member, NotPossible
from tests.simulator.message import SimMessage
from tests.simulator.people import Role, User
from tests.simulator.permissions import Permission
from tests.simulator.simulator import Simulator, free_port

__all__ = [
    "Channel",
    "Guild",
    "Member",
    "Modal",
    "NotPossible",
    "Outcome",
    "Permission",
    "Role",
    "SimMessage",
    "Simulator",
    "TextChannel",
    "Upload",
    "User",
    "VoiceChannel",
    "free_port",
]
