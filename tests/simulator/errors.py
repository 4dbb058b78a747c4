"""What the API answers instead of doing it: status, JSON code, message, and errors by field.

Codes and messages: Discord, "Opcodes and Status Codes", and logs of real bots.
"""

from typing import Any

type Json = dict[str, Any]


class ApiError(Exception):
    """A refusal of the REST API."""

    def __init__(
        self, status: int, code: int, message: str, *, errors: Json | None = None, **more: Any
    ) -> None:
        super().__init__(f"{status} {code} {message} {errors or ''}")
        self.status = status
        self.code = code
        body: Json = {"message": message, "code": code, **more}
        if errors:
            body["errors"] = errors
        self.body = body


def _refusal(status: int, code: int, message: str) -> type[ApiError]:
    class Refusal(ApiError):
        def __init__(self) -> None:
            super().__init__(status, code, message)

    Refusal.__doc__ = f"{status} {code} {message}."
    return Refusal


Unauthorized = _refusal(401, 0, "401: Unauthorized")
NotFound = _refusal(404, 0, "404: Not Found")
MethodNotAllowed = _refusal(405, 0, "405: Method Not Allowed")
UnknownChannel = _refusal(404, 10003, "Unknown Channel")
UnknownGuild = _refusal(404, 10004, "Unknown Guild")
UnknownMember = _refusal(404, 10007, "Unknown Member")
UnknownMessage = _refusal(404, 10008, "Unknown Message")
UnknownOverwrite = _refusal(404, 10009, "Unknown Permission Overwrite")
UnknownRole = _refusal(404, 10011, "Unknown Role")
UnknownUser = _refusal(404, 10013, "Unknown User")
UnknownEmoji = _refusal(400, 10014, "Unknown Emoji")
UnknownWebhook = _refusal(404, 10015, "Unknown Webhook")
UnknownBan = _refusal(404, 10026, "Unknown Ban")
UnknownInteraction = _refusal(404, 10062, "Unknown interaction")
UnknownCommand = _refusal(404, 10063, "Unknown application command")
UnknownVoiceState = _refusal(404, 10065, "Unknown Voice State")
TooManyPins = _refusal(400, 30003, "Maximum number of pins reached for the channel (250)")
TooManyRoles = _refusal(400, 30005, "Maximum number of guild roles reached (250)")
TooManyWebhooks = _refusal(400, 30007, "Maximum number of webhooks reached (15)")
TooManyReactions = _refusal(400, 30010, "Maximum number of reactions reached (20)")
TooManyChannels = _refusal(400, 30013, "Maximum number of server channels reached (500)")
TooManyAttachments = _refusal(400, 30015, "Maximum number of attachments in a message reached (10)")
TooManyCommands = _refusal(400, 30032, "Maximum number of application commands reached (100).")
TooManyCommandCreates = _refusal(
    429, 30034, "Max number of daily application command creates has been reached (200)"
)
TooLarge = _refusal(413, 40005, "Request entity too large")
TargetNotInVoice = _refusal(400, 40032, "Target user is not connected to voice.")
AlreadyAcknowledged = _refusal(400, 40060, "Interaction has already been acknowledged.")
UnknownClient = _refusal(403, 40333, "internal network error")
MissingAccess = _refusal(403, 50001, "Missing Access")
InvalidAccountType = _refusal(403, 50002, "Invalid account type")
WrongChannelForDM = _refusal(403, 50003, "Cannot execute action on a DM channel")
NotTheAuthor = _refusal(403, 50005, "Cannot edit a message authored by another user")
EmptyMessage = _refusal(400, 50006, "Cannot send an empty message")
CannotMessageUser = _refusal(403, 50007, "Cannot send messages to this user")
NotATextChannel = _refusal(400, 50008, "Cannot send messages in a non-text channel")
MissingPermissions = _refusal(403, 50013, "Missing Permissions")
WrongBulkDeleteCount = _refusal(
    400,
    50016,
    "Provided too few or too many messages to delete. "
    "Must provide at least 2 and fewer than 100 messages to delete.",
)
SystemMessage = _refusal(403, 50021, "Cannot execute action on a system message")
WrongChannelType = _refusal(400, 50024, "Cannot execute action on this channel type")
InvalidWebhookToken = _refusal(401, 50027, "Invalid Webhook Token")
MessagesTooOld = _refusal(400, 50034, "A message provided was too old to bulk delete")
BrokenJson = _refusal(400, 50109, "The request body contains invalid JSON.")
NoHistoryToReply = _refusal(400, 160002, "Cannot reply without permission to read message history")
