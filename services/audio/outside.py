"""What every guild's player is given: the ports, the journal, and the limits of this bot."""

from collections.abc import Callable
from dataclasses import dataclass

from services.audio.journal import Journal
from services.audio.limits import TrackLimits
from services.audio.player_events import PlayerEvent
from services.audio.ports import AudioNode, MediaSource, VoiceControl
from services.background import BackgroundTasks
from services.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world around one guild's player; shared by all of them."""

    node: AudioNode
    voice: VoiceControl
    media: MediaSource
    clock: Clock
    journal: Journal
    tasks: BackgroundTasks
    announce: Callable[[PlayerEvent], None]
    new_play_number: Callable[[], int]
    """Numbers that never repeat, also not over restarts."""
    limits: TrackLimits
    idle_leave_seconds: float
    alone_leave_seconds: float
