"""The stand-in for one of Discord's voice servers: websocket gateway v8, UDP, and ears.

    async with VoiceServer(dave_version=1) as voice:
        voice.admit(guild_id=1, channel_id=2, user_id=3, session_id="s", token="t")
        ...  # a client connects to wss://{voice.endpoint}/?v=8, trusting voice.ca_file
        await voice.ear(1).hears(440, within=5)

The rules are those of Discord's pages "Voice Connections" and "Opcodes and Status Codes" and of the
DAVE protocol's text; where they are silent, the stricter reading.
"""  # fmt: skip

import asyncio
import math
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from services.background import BackgroundTasks
from tests.simulator.voice.call import Call, CallRules
from tests.simulator.voice.calllog import CallLog
from tests.simulator.voice.certificates import CertificateAuthority
from tests.simulator.voice.connection import RESUMABLE_CLOSES, Connection, Refused
from tests.simulator.voice.ear import Ear
from tests.simulator.voice.ears import Ears
from tests.simulator.voice.faults import Faults
from tests.simulator.voice.mls import MalformedMls
from tests.simulator.voice.receiver import Receiver
from tests.simulator.voice.session import Admission, VoiceSession
from tests.simulator.voice.stream import UDP_OVERTAKES, Stream
from tests.simulator.voice.transport import AES_GCM, XCHACHA

_KEY_PACKAGE = 26


class VoiceServer:
    """One voice server on loopback.

    Args:
        dave_version: Highest end-to-end encryption version of its calls, 0 for none.
        refuse_without_dave: Close 4017 when a client cannot encrypt end to end.
        aes_gcm: Whether AES-GCM is offered, first, beside XChaCha20.
        heartbeat_interval: Seconds, told in HELLO; without a heartbeat for 1.5 of it: 4009.
        resume_window: Seconds for which a session without a websocket can be resumed.
        ca: Who signs its certificate; several servers may share one.
        ears: Who listens; share them, and an ear hears on when a call moves between servers.
        decode: Whether own ears decode sound or only count and time packets.
        rules: How the encrypted groups of its calls are made.
    """

    def __init__(
        self,
        *,
        dave_version: int = 1,
        refuse_without_dave: bool = False,
        aes_gcm: bool = True,
        heartbeat_interval: float = 13.75,
        resume_window: float = 60.0,
        ca: CertificateAuthority | None = None,
        ears: Ears | None = None,
        decode: bool = True,
        rules: CallRules | None = None,
    ) -> None:
        self.dave_version = dave_version
        self.refuse_without_dave = refuse_without_dave
        self.modes = (AES_GCM, XCHACHA) if aes_gcm else (XCHACHA,)
        self.heartbeat_interval = heartbeat_interval
        self.resume_window = resume_window
        self.ca = ca or CertificateAuthority()
        self.ears = ears or Ears(decode=decode)
        self._receiver = Receiver(self.ears, self._discovered)
        self.faults = Faults(self, self._receiver)
        self._admissions: dict[int, Admission] = {}
        self._sessions: dict[int, VoiceSession] = {}
        self._logs: dict[int, CallLog] = {}
        self._last_admissions: dict[int, Admission] = {}
        self._calls: dict[int, Call] = {}
        self._rules = rules or CallRules()
        self._last_ssrc = 4000
        self._tls = self.ca.server_context()
        self._background = BackgroundTasks("voice server")
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0

    # ── life ────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Listen on free ports of 127.0.0.1."""
        app = web.Application()
        app.router.add_get("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await self.listen()
        self.ears.start()
        self._receiver.start()

    async def close(self) -> None:
        """Send everybody away and free the ports; what has arrived is still heard."""
        for guild_id in tuple(self._sessions):
            await self.close_connection(guild_id, 1001)
        for call in self._calls.values():
            await call.close()
        await self._background.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._receiver.close()
        self.ears.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def listen(self) -> None:
        """Accept connections, on the same port as before."""
        if self._site is None:
            assert self._runner is not None
            self._site = web.TCPSite(
                self._runner,
                "127.0.0.1",
                self._port,
                ssl_context=self._tls,
                reuse_address=True,
                backlog=512,
            )
            await self._site.start()
            self._port = self._runner.addresses[0][1]

    async def stop_listening(self) -> None:
        """Refuse new connections."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    # ── what tests and the main gateway see ─────────────────────────────────

    @property
    def endpoint(self) -> str:
        """Return "localhost:PORT", as VOICE_SERVER_UPDATE names it."""
        return f"localhost:{self._port}"

    @property
    def ca_file(self) -> Path:
        """Return the file to use as SSL_CERT_FILE."""
        return self.ca.ca_file

    def admit(
        self, *, guild_id: int, channel_id: int, user_id: int, session_id: str, token: str
    ) -> None:
        """Let a client identify; a later admission replaces the former token."""
        admission = Admission(guild_id, channel_id, user_id, session_id, token)
        self._admissions[guild_id] = self._last_admissions[guild_id] = admission
        self.ear(guild_id)

    def withdraw(self, guild_id: int) -> None:
        """Let nobody identify for the guild any more; an existing websocket stays."""
        self._admissions.pop(guild_id, None)

    def expel(self, guild_id: int, code: int = 4014) -> asyncio.Task[None]:
        """Send the guild's client away for good: kicked or moved 4014, call ended 4022."""
        self.withdraw(guild_id)
        return self.close_connection(guild_id, code)

    def admission(self, guild_id: int) -> Admission:
        """Return who may identify for a guild; KeyError when nobody may."""
        return self._admissions[guild_id]

    def ear(self, guild_id: int) -> Ear:
        """Return who listens in the guild's call."""
        return self.ears.of(guild_id)

    @property
    def strays(self) -> int:
        """Return how many RTP packets came with an SSRC that no session has (any more)."""
        return self._receiver.strays

    def log(self, guild_id: int) -> CallLog:
        """Return what happened to the guild's connection on this server."""
        return self._logs.setdefault(guild_id, CallLog())

    def call(self, guild_id: int) -> Call:
        """Return who is in the guild's call; KeyError when nobody was ever admitted."""
        admission = self._last_admissions[guild_id]
        call = self._calls.get(guild_id)
        if call is None or call.channel_id != admission.channel_id:
            if call is not None:
                self._background.start(call.close(), name="close call")
            call = Call(
                admission.channel_id,
                admission.user_id,
                rules=self._rules,
                report=self.ear(guild_id).report,
                note=self.log(guild_id).add,
            )
            self._calls[guild_id] = call
        return call

    def close_connection(self, guild_id: int, code: int) -> asyncio.Task[None]:
        """Close the guild's websocket in the background; await the task to have it done."""
        return self._background.start(self._close(guild_id, code), name=f"close {code}")

    def cut_connection(self, guild_id: int) -> None:
        """Reset the guild's TCP connection."""
        session = self._sessions.get(guild_id)
        if session is not None and session.connection is not None:
            session.log.add("cut")
            session.connection.cut()

    # ── what connections call ───────────────────────────────────────────────

    def identify(
        self,
        connection: Connection,
        *,
        guild_id: int,
        user_id: int,
        session_id: str,
        token: str,
        dave_version: int,
    ) -> VoiceSession:
        """Check an IDENTIFY and open a session; raise `Refused`."""
        admission = self._admissions.get(guild_id)
        if admission is None:
            raise Refused(4006 if guild_id in self._last_admissions else 4011, "No such call.")
        self._check_credentials(admission, session_id, token)
        if user_id != admission.user_id:
            raise Refused(4004, "Authentication failed.")
        if self.refuse_without_dave and dave_version < 1:
            raise Refused(4017, "E2EE/DAVE protocol required.")
        former = self._sessions.get(guild_id)
        if former is not None:
            self.forget(former)
            if former.connection is not None:
                closing = former.connection.close(4014, "Disconnected.")
                self._background.start(closing, name="replace websocket")
        return self._open_session(connection, admission, min(dave_version, self.dave_version))

    async def send_ready(self, session: VoiceSession) -> None:
        """Send READY, late if a fault says so."""
        delay = self.faults.ready_delay
        if delay:
            self._background.start(self._send_ready_after(session, delay), name="late ready")
        else:
            await self._send_ready(session)

    def resumable(self, *, guild_id: int, session_id: str, token: str) -> VoiceSession:
        """Return the session that a RESUME names; raise `Refused`."""
        session = self._sessions.get(guild_id)
        if session is None:
            raise Refused(4006, "Session is no longer valid.")
        self._check_credentials(session.admission, session_id, token)
        return session

    async def release(self, session: VoiceSession) -> None:
        """Take a session off the websocket that it had."""
        former, session.connection = session.connection, None
        if former is not None:
            former.session = None
            await former.close(4006, "Session resumed elsewhere.")

    def forget(self, session: VoiceSession) -> None:
        """End a session: it cannot be resumed, its packets are strays."""
        self._receiver.streams.pop(session.stream.ssrc, None)
        if self._sessions.get(session.admission.guild_id) is session:
            del self._sessions[session.admission.guild_id]
        if session.call is not None:
            self._background.start(session.call.withdraw(session), name="leave call")

    def detach(self, session: VoiceSession, connection: Connection, code: int) -> None:
        """Note that a session's websocket is gone, and keep the session if it may resume."""
        if session.connection is not connection:
            return
        session.connection = None
        session.log.add(f"gone {code}")
        if code in RESUMABLE_CLOSES:
            waiting = self._forget_later(session)
            self._background.start(waiting, name="resume window")
        else:
            self.forget(session)

    def announced(self, session: VoiceSession, speaking: int) -> None:
        """Let packets be heard: an op 5 came."""
        session.stream.quiet_since = math.inf if speaking else time.monotonic()
        if not session.stream.announced:
            session.stream.announced = True
            self.ears.take(session.stream, 0.0, b"")

    def new_key(self) -> bytes:
        """Return a fresh transport key."""
        return secrets.token_bytes(32)

    async def protocol_selected(self, session: VoiceSession) -> None:
        """Let the client into the call, once it has its session description (op 4)."""
        if session.call is None:
            session.call = call = self.call(session.admission.guild_id)
            session.stream.unwrap = call.unwrap
            await call.attend()
            await call.enter(session, version=session.dave_version)

    async def dave_message(self, session: VoiceSession, op: int, payload: bytes) -> None:
        """Take a key package (op 26) or a commit (op 28)."""
        call = session.call or self.call(session.admission.guild_id)
        take = call.key_package if op == _KEY_PACKAGE else call.commit
        try:
            await take(session.user_id, payload)
        except MalformedMls as malformed:
            session.stream.ear.report(f"op {op} was malformed: {malformed}")
            raise Refused(4020, "Bad request.") from None

    async def dave_ready(self, session: VoiceSession, transition_id: int) -> None:
        """Note that a client is ready for a transition (op 23)."""
        if session.call is not None:
            await session.call.ready(session.user_id, transition_id)

    async def dave_invalid(self, session: VoiceSession, transition_id: int) -> None:
        """Note that a client could not use a commit or welcome (op 31)."""
        if session.call is not None:
            await session.call.invalid(session.user_id, transition_id)

    # ── own ─────────────────────────────────────────────────────────────────

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        return await Connection(self, request).serve()

    def _check_credentials(self, admission: Admission, session_id: str, token: str) -> None:
        if token != admission.token:
            raise Refused(4004, "Authentication failed.")
        if session_id != admission.session_id:
            raise Refused(4006, "Session is no longer valid.")

    def _open_session(
        self, connection: Connection, admission: Admission, dave_version: int
    ) -> VoiceSession:
        guild_id = admission.guild_id
        self._last_ssrc += 1
        loop = asyncio.get_running_loop()
        stream = Stream(
            self._last_ssrc,
            self.ear(guild_id),
            lambda: loop.call_soon_threadsafe(self._check_announced, session),
            lambda: loop.call_soon_threadsafe(
                self._check_quiet, session, session.stream.quiet_since
            ),
        )
        session = VoiceSession(admission, stream, self.log(guild_id), dave_version=dave_version)
        session.connection = connection
        self._sessions[guild_id] = session
        self._receiver.streams[stream.ssrc] = stream
        session.log.add("identify")
        return session

    async def _send_ready_after(self, session: VoiceSession, delay: float) -> None:
        await asyncio.sleep(delay)
        await self._send_ready(session)

    async def _send_ready(self, session: VoiceSession) -> None:
        session.log.add("ready")
        await session.send(
            2,
            {
                "ssrc": session.stream.ssrc,
                "ip": "127.0.0.1",
                "port": self._receiver.port,
                "modes": list(self.modes),
                "experiments": [],
                "streams": [],
                "heartbeat_interval": 1,
            },
        )

    def _check_announced(self, session: VoiceSession) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(UDP_OVERTAKES, self._refuse_unannounced, session)

    def _refuse_unannounced(self, session: VoiceSession) -> None:
        if session.stream.announced or session.connection is None:
            return
        session.stream.ear.report("sound was sent without any op 5 before it: disconnected")
        self.forget(session)
        closing = session.connection.close(4020, "Invalid SSRC.")
        self._background.start(closing, name="refuse unannounced sound")

    def _check_quiet(self, session: VoiceSession, since: float) -> None:
        """Give the op 5 time that the sound has overtaken."""
        if since not in (math.inf, session.quiet_checked):
            session.quiet_checked = since
            loop = asyncio.get_running_loop()
            loop.call_later(UDP_OVERTAKES, self._report_unexpected, session, since)

    def _report_unexpected(self, session: VoiceSession, since: float) -> None:
        if session.stream.quiet_since == since:
            session.stream.ear.report("sound was sent after op 5 had said that it ends")

    def _discovered(self, ssrc: int) -> None:
        stream = self._receiver.streams.get(ssrc)
        if stream is not None:
            self.log(stream.ear.guild_id).add("discovery")

    async def _forget_later(self, session: VoiceSession) -> None:
        await asyncio.sleep(self.resume_window)
        if session.connection is None:
            self.forget(session)

    async def _close(self, guild_id: int, code: int) -> None:
        session = self._sessions.get(guild_id)
        if session is None:
            return
        if code not in RESUMABLE_CLOSES:
            self.forget(session)
        if session.connection is not None:
            await session.connection.close(code, "Closed by the simulator.")
