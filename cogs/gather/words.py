"""How times, lateness and refusals of a gathering are put into words."""

from datetime import datetime, timedelta

from services.gather.attendance import Attendance, Outcome
from services.gather.effects import Answer
from services.gather.gathering import Gathering


def minutes_seconds(seconds: float) -> str:
    """Write `mm:ss`, minutes beyond 99 too."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes:02}:{rest:02}"


def length(span: timedelta) -> str:
    """Write a duration such as `1 h 30 min` or `9 min 55 s`."""
    seconds = max(0, round(span.total_seconds()))
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def clock_of(moment: datetime) -> str:
    """Return Markdown that each member reads as a time of the day in their own zone."""
    return f"<t:{int(moment.timestamp())}:t>"


def arrived(line: Attendance) -> str:
    """Return what the table's column *Arrived* says."""
    match line.outcome:
        case Outcome.ON_TIME:
            return "ON TIME"
        case Outcome.LATE:
            return f"+{minutes_seconds(line.late_s)}"
        case Outcome.OUT:
            return "OUT"
        case Outcome.MISSING:
            return "--:--"


def sentence(answer: Answer, gathering: Gathering) -> str:
    """Return what the member is told whose click or command came to nothing."""
    channel = f"<#{gathering.voice_channel_id}>"
    return {
        Answer.ALREADY_HERE: "You are checked in already.",
        Answer.ALREADY_OUT: f"You are out already. Rejoin {channel} to check in after all.",
        Answer.NOT_IN_CHANNEL: f"Join {channel} first; being expected there, you are checked in "
        "by that.",
        Answer.REJOIN_FIRST: f"You are out. Leave and rejoin {channel} to check in after all.",
        Answer.NOT_EXPECTED: "You are not on this gathering's list.",
        Answer.ONLY_AUTHOR: f"Only <@{gathering.session.author_id}>, who began this gathering, "
        "can do that.",
        Answer.TOO_LONG: "A countdown lasts at most 2 hours, extensions included.",
        Answer.ONLY_IN_COUNTDOWN: "That works only while the countdown runs; the check-in has "
        "begun.",
        Answer.ASKED_ALREADY: "A substitute was asked for already.",
        Answer.NOBODY_MISSING: "Nobody is missing.",
        Answer.CLOSED: "This gathering is over.",
    }[answer]
