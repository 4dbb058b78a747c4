"""Discord's voice servers on this machine, with an ear that tells what a member would hear."""

from tests.simulator.voice.call import LISTENER, Call, CallRules
from tests.simulator.voice.calllog import CallLog, Event
from tests.simulator.voice.certificates import CertificateAuthority
from tests.simulator.voice.ear import Ear, Heard, NotHeard
from tests.simulator.voice.ears import Ears
from tests.simulator.voice.faults import Faults
from tests.simulator.voice.measures import Frame, Gaps, Lateness, Seam
from tests.simulator.voice.server import VoiceServer

__all__ = [
    "LISTENER",
    "Call",
    "CallLog",
    "CallRules",
    "CertificateAuthority",
    "Ear",
    "Ears",
    "Event",
    "Faults",
    "Frame",
    "Gaps",
    "Heard",
    "Lateness",
    "NotHeard",
    "Seam",
    "VoiceServer",
]
