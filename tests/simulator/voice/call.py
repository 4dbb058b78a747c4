"""Who is in a guild's call, and the end-to-end encryption among them (DAVE).

The server is the MLS group's delivery service: it collects key packages (op 26), proposes to add
and remove members (27), picks one commit of those that come (28), announces it (29) and welcomes
who was added (30). Members then decrypt frames of both keys, report that they are ready (23), and
when all are, or two seconds have passed, the server lets everybody send with the new key (22).
Transition 0 is a first start and executes at once. A member who remains alone gets a new, pending
group (24, then 21 with transition 0). Switching encryption off is a transition to version 0 (21),
switching it on a new group (24).
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from services.background import BackgroundTasks
from tests.simulator.voice.group import CommitRefused, Group
from tests.simulator.voice.listener import Listener, looks_encrypted
from tests.simulator.voice.mls import (
    ExternalSender,
    KeyPackage,
    Reader,
    Welcome,
    appended,
    read_commit,
    revoked,
)
from tests.simulator.voice.session import Payload
from tests.simulator.voice.transport import SILENCE, BadPacket

LISTENER = 1_100_000_000_000_000_001
"""The member who is in every call from the start."""

_READY_WITHIN = 2.0
_IN_FLIGHT = 0.5
_NEVER, _ALWAYS = float("-inf"), float("inf")


class Participant(Protocol):
    """Somebody in the call: the bot's session, or a listener."""

    @property
    def user_id(self) -> int:
        """Return who it is."""
        ...

    async def send(self, op: int, data: Payload) -> None:
        """Take a JSON message of the server."""
        ...

    async def send_binary(self, op: int, payload: bytes) -> None:
        """Take a binary message of the server."""
        ...


@dataclass(frozen=True)
class CallRules:
    """How a call's group is made.

    Args:
        bot_commits: Whose commit counts where both the bot and a listener could make one.
        first_transition: The transition id of a first group; 0 executes at once.
    """

    bot_commits: bool = True
    first_transition: int = 0


class Call:
    """One guild's call.

    Args:
        channel_id: The voice channel, which is the MLS group's id.
        speaker_id: The bot.
        rules: How the group is made.
        report: Called with what a client did wrong.
        note: Called with what happened, for the log.
    """

    def __init__(
        self,
        channel_id: int,
        speaker_id: int,
        *,
        rules: CallRules,
        report: Callable[[str], None],
        note: Callable[[str], None],
    ) -> None:
        self.channel_id = channel_id
        self.speaker_id = speaker_id
        self.version = 0
        self.report = report
        self._rules = rules
        self._note = note
        self._participants: dict[int, Participant] = {}
        self._told_sender: set[int] = set()
        self._group = Group(channel_id, ExternalSender())
        self._last_transition = 0
        self._transitions: dict[int, tuple[set[int], int]] = {}
        self._plain_until, self._encrypted_until = _ALWAYS, _NEVER
        self._early: dict[int, KeyPackage] = {}
        self._attended = False
        self._inbox: deque[Callable[[], Awaitable[None]]] = deque()
        self._busy = False
        self._background = BackgroundTasks("voice call")

    async def close(self) -> None:
        """Forget what is still waited for."""
        await self._background.close()

    # ── what happens in a call ──────────────────────────────────────────────

    async def attend(self) -> None:
        """Let the member in who is in every call from the start, unless a test has sent it away."""
        if not self._attended:
            await self.join()

    async def join(self, user_id: int = LISTENER) -> None:
        """Let a further member join and listen."""
        self._attended = True
        await self.enter(Listener(user_id, self.speaker_id, self))

    async def leave(self, user_id: int = LISTENER) -> None:
        """Let a member hang up."""
        self._attended = True
        await self._in_turn(lambda: self._leave(user_id))

    async def downgrade(self) -> None:
        """Switch the encryption off, as when a client without it joins."""
        await self._in_turn(self._downgrade)

    async def upgrade(self) -> None:
        """Switch the encryption on again, with a new group."""
        await self._in_turn(self._upgrade)

    async def enter(self, participant: Participant, *, version: int | None = None) -> None:
        """Let a participant in; the bot brings the protocol version that its call then has."""
        await self._in_turn(lambda: self._enter(participant, version))

    async def withdraw(self, participant: Participant) -> None:
        """Let a participant go, unless another one with the same user has taken its place."""

        async def go() -> None:
            if self._participants.get(participant.user_id) is participant:
                await self._leave(participant.user_id)

        await self._in_turn(go)

    # ── what participants send ──────────────────────────────────────────────

    async def key_package(self, user_id: int, payload: bytes) -> None:
        """Take op 26; raise `MalformedMls`."""
        package = KeyPackage.parse(payload)
        await self._in_turn(lambda: self._offer(user_id, package))

    async def commit(self, user_id: int, payload: bytes) -> None:
        """Take op 28; raise `MalformedMls`."""
        reader = Reader(payload)
        commit = read_commit(reader)
        welcome = Welcome.read(reader) if reader.rest else None

        async def consider() -> None:
            try:
                self._group.check(user_id, commit)
                self._check_turn(user_id)
                former = self._group.members or [user_id]
                welcomes = self._group.apply(user_id, commit, welcome)
            except CommitRefused as refused:
                self._note(f"dave commit of {user_id} not used: {refused}")
                if refused.wrong:
                    self.report(f"a commit was refused: {refused}")
                return
            await self._announce(former, commit.message, welcomes)

        await self._in_turn(consider)

    async def ready(self, user_id: int, transition_id: int) -> None:
        """Take op 23."""
        await self._in_turn(lambda: self._ready(user_id, transition_id))

    async def invalid(self, user_id: int, transition_id: int) -> None:
        """Take op 31: a member could not use a commit or welcome."""
        self._note(f"dave invalid {transition_id}")
        await self._in_turn(lambda: self._expect_anew(user_id))

    # ── what is heard ───────────────────────────────────────────────────────

    def unwrap(self, frame: bytes, arrival: float) -> bytes | None:
        """Return a frame as a listener gets it, None when nobody listens; any thread may.

        Raises:
            BadPacket: It is not encrypted as it should be, or cannot be opened.
        """
        if frame == SILENCE:
            return frame
        everybody = tuple(self._participants.values())
        listeners = [each for each in everybody if isinstance(each, Listener)]
        if not listeners:
            return None
        if arrival > self._encrypted_until:
            return frame  # whatever it looks like: members take it for plain sound
        if not looks_encrypted(frame):
            if arrival > self._plain_until:
                raise BadPacket("it is not end-to-end encrypted, though the call is")
            return frame
        for listener in listeners:
            if (opened := listener.decrypt(frame)) is not None:
                return opened
        raise BadPacket("no listener can open its end-to-end encryption")

    # ── in turn ─────────────────────────────────────────────────────────────

    async def _in_turn(self, step: Callable[[], Awaitable[None]]) -> None:
        """Take one step after the other: a listener answers while it is still being told."""
        self._inbox.append(step)
        if self._busy:
            return
        self._busy = True
        try:
            while self._inbox:
                await self._inbox.popleft()()
        finally:
            self._busy = False

    async def _enter(self, participant: Participant, version: int | None) -> None:
        user_id = participant.user_id
        if user_id in self._participants:
            await self._leave(user_id)
        if version is not None and version != self.version:
            await self._change_version(version)
        others = list(self._participants.values())
        self._participants[user_id] = participant
        if others:
            present = [str(other.user_id) for other in others]
            await participant.send(11, {"user_ids": present})
        for other in others:
            await _introduce(participant, other.user_id)
            await other.send(11, {"user_ids": [str(user_id)]})
            await _introduce(other, user_id)
        if self.version:
            await self._tell_sender(participant)

    async def _change_version(self, version: int) -> None:
        self._group.reset()
        self.version = version
        if version:
            self._plain_until, self._encrypted_until = _NEVER, _ALWAYS
        else:
            self._plain_until, self._encrypted_until = _ALWAYS, _NEVER
        if version:
            for participant in tuple(self._participants.values()):
                await self._tell_sender(participant)

    async def _tell_sender(self, participant: Participant) -> None:
        self._told_sender.add(participant.user_id)
        await participant.send_binary(25, self._group.sender.package)
        if self._group.epoch == 0 and (proposals := self._group.addressed_to(participant.user_id)):
            await participant.send_binary(27, appended([each.proposal for each in proposals]))
        if (early := self._early.pop(participant.user_id, None)) is not None:
            await self._offer(participant.user_id, early)

    async def _leave(self, user_id: int) -> None:
        if self._participants.pop(user_id, None) is None:
            return
        self._told_sender.discard(user_id)
        for other in tuple(self._participants.values()):
            await other.send(13, {"user_id": str(user_id)})
        for waiting, _ in self._transitions.values():
            waiting.discard(user_id)
        await self._revoke_addition(user_id)
        await self._remove(user_id)
        await self._execute_what_is_ready()

    async def _offer(self, user_id: int, package: KeyPackage) -> None:
        self._note(f"dave key package of {user_id}")
        if package.user_id != user_id:
            self.report(f"the key package of user {user_id} names user {package.user_id}")
            return
        if user_id not in self._participants or not self.version:
            self._early[user_id] = package  # some clients send it right after READY
            return
        await self._revoke_addition(user_id)
        self._group.offer(package)
        if user_id in self._group.leaves:
            await self._remove(user_id)
        await self._propose_waiting()

    async def _propose_waiting(self) -> None:
        for new in self._group.propose_waiting():
            await self._send_proposal(27, appended([new.proposal]), about=new.user_id)

    async def _revoke_addition(self, user_id: int) -> None:
        taken_back = self._group.revoke_addition(user_id)
        if taken_back:
            payload = revoked([each.proposal for each in taken_back])
            await self._send_proposal(27, payload, about=user_id)

    async def _remove(self, user_id: int) -> None:
        if user_id not in self._group.leaves:
            return
        remaining = [member for member in self._group.members if member != user_id]
        if len(remaining) > 1:
            removal = self._group.propose_removal(user_id)
            await self._send_proposal(27, appended([removal.proposal]), about=user_id)
            return
        self._note("dave group reset")
        self._group.reset()
        for member in remaining:
            await self._to(member, 24, {"protocol_version": self.version, "epoch": 1})
            await self._to(member, 21, {"protocol_version": self.version, "transition_id": 0})

    async def _expect_anew(self, user_id: int) -> None:
        for waiting, _ in self._transitions.values():
            waiting.discard(user_id)
        await self._remove(user_id)
        await self._execute_what_is_ready()

    async def _send_proposal(self, op: int, payload: bytes, *, about: int) -> None:
        audience = self._group.members if self._group.epoch else list(self._told_sender)
        for user_id in audience:
            if user_id != about and user_id in self._participants:
                await self._participants[user_id].send_binary(op, payload)

    def _check_turn(self, user_id: int) -> None:
        """Let the bot's commit win, or a listener's, where both can make one."""
        able = self._group.members if self._group.epoch else list(self._told_sender)
        able = [
            each for each in able if each in self._participants and self._group.addressed_to(each)
        ]
        if user_id not in able:
            raise CommitRefused("it comes from outside the group", wrong=False)
        preferred = [each for each in able if (each == self.speaker_id) == self._rules.bot_commits]
        if preferred and user_id not in preferred:
            raise CommitRefused("another member's came first", wrong=False)

    async def _announce(self, former: list[int], commit: bytes, welcomes: dict[int, bytes]) -> None:
        epoch = self._group.epoch
        transition_id = self._rules.first_transition if epoch == 1 else self._next_transition()
        self._note(f"dave epoch {epoch}")
        self._begin(transition_id, set(self._group.members), self.version)
        news = {user_id: (29, commit) for user_id in former if user_id in self._group.leaves}
        news |= {user_id: (30, welcome) for user_id, welcome in welcomes.items()}
        # the bot last: its first frame may be here before a listener's turn would come
        for user_id in sorted(news, key=lambda each: each == self.speaker_id):
            op, payload = news[user_id]
            if user_id in self._participants:
                await self._participants[user_id].send_binary(
                    op, transition_id.to_bytes(2) + payload
                )
        if transition_id == 0:
            await self._execute(0)
        await self._propose_waiting()

    def _begin(self, transition_id: int, members: set[int], version: int) -> None:
        self._last_transition = max(self._last_transition, transition_id)
        self._transitions[transition_id] = (members & set(self._participants), version)
        if transition_id:
            waiting = self._execute_late(transition_id)
            self._background.start(waiting, name=f"transition {transition_id}")

    async def _ready(self, user_id: int, transition_id: int) -> None:
        self._note(f"dave ready {transition_id} by {user_id}")
        if transition_id not in self._transitions:
            if transition_id > self._last_transition:
                self.report(f"op 23 names transition {transition_id}, which never began")
            return
        self._transitions[transition_id][0].discard(user_id)
        await self._execute_what_is_ready()

    async def _execute_what_is_ready(self) -> None:
        for transition_id, (waiting, _) in tuple(self._transitions.items()):
            if not waiting and transition_id in self._transitions:
                await self._execute(transition_id)

    async def _execute_late(self, transition_id: int) -> None:
        await asyncio.sleep(_READY_WITHIN)
        if transition_id in self._transitions:
            late = sorted(self._transitions[transition_id][0])
            self.report(f"not ready for transition {transition_id} in time: {late}")
            await self._in_turn(lambda: self._execute(transition_id))

    async def _execute(self, transition_id: int) -> None:
        if transition_id not in self._transitions:
            return
        _, version = self._transitions.pop(transition_id)
        self._note(f"dave executed {transition_id}")
        if version == 0:
            self._group.reset()
            self._encrypted_until = time.monotonic() + _IN_FLIGHT
        elif self._plain_until == _ALWAYS:
            self._plain_until = time.monotonic() + _IN_FLIGHT
        self.version = version
        if transition_id:
            for user_id in tuple(self._participants):
                await self._to(user_id, 22, {"transition_id": transition_id})

    async def _downgrade(self) -> None:
        transition_id = self._next_transition()
        self._begin(transition_id, set(self._participants), 0)
        self._plain_until = _ALWAYS
        for user_id in tuple(self._participants):
            await self._to(user_id, 21, {"protocol_version": 0, "transition_id": transition_id})

    async def _upgrade(self) -> None:
        self._group.reset()
        self.version, self._encrypted_until = 1, _ALWAYS
        for participant in tuple(self._participants.values()):
            if participant.user_id not in self._told_sender:
                self._told_sender.add(participant.user_id)
                await participant.send_binary(25, self._group.sender.package)
            await participant.send(24, {"protocol_version": 1, "epoch": 1})

    async def _to(self, user_id: int, op: int, data: Payload) -> None:
        if user_id in self._participants:
            await self._participants[user_id].send(op, data)

    def _next_transition(self) -> int:
        self._last_transition += 1
        return self._last_transition


async def _introduce(participant: Participant, user_id: int) -> None:
    """Send what the documentation leaves out and every client meets: flags and platform."""
    await participant.send(18, {"user_id": str(user_id), "flags": 2})
    await participant.send(20, {"user_id": str(user_id), "platform": 0})
