"""A private PostgreSQL server for one run of tests, from the binaries that the system has.

    python -m tests.postgres_server COMMAND ...   runs the command with TEST_POSTGRES_URL set

The server listens on loopback only, keeps its data in a temporary folder, has a password of its own
and ends with the command. PostgreSQL refuses to run as root: then it runs as the user `postgres`,
or `nobody`. Where a server is given (TEST_POSTGRES_URL), or none can be started, the command runs
as it is; tests that need one are skipped then.
"""

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg

VARIABLE = "TEST_POSTGRES_URL"
_USER = "tester"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "timezone": "Asia/Kolkata",  # not UTC, so that a forgotten zone is noticed
}


class CannotStart(Exception):
    """There is no server here; the text says why."""


@contextlib.contextmanager
def private_server() -> Iterator[str]:
    """Run a server; the value is its URL.

    Raises:
        CannotStart: no binaries, no user to run as, or it does not start.
    """
    initdb, postgres = _binary("initdb"), _binary("postgres")
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        password = secrets.token_hex(16)
        _initialise(initdb, folder, password=password, account=account)
        port = _free_port()
        server = _start(postgres, folder, port=port, account=account)
        try:
            _wait_until_ready(server, port, password=password, log=folder / "log")
            yield f"postgresql+asyncpg://{_USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> str:
    if (found := shutil.which(name)) is not None:
        return found
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    raise CannotStart(f"PostgreSQL is not installed (no {name}); the package is `postgresql`")


def _account() -> pwd.struct_passwd | None:
    """Return who the server runs as; None: as we do."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise CannotStart("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _initialise(
    initdb: str, folder: Path, *, password: str, account: pwd.struct_passwd | None
) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if account is not None:
        os.chown(secret, account.pw_uid, account.pw_gid)
    command = [
        *(initdb, "--pgdata", str(folder / "data"), "--username", _USER),
        *("--pwfile", str(secret), "--auth", "scram-sha-256"),
        *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
    ]
    done = _popen(command, folder, account).wait()
    secret.unlink()
    if done:
        raise CannotStart(f"initdb failed:\n{(folder / 'log').read_text()}")


def _start(
    postgres: str, folder: Path, *, port: int, account: pwd.struct_passwd | None
) -> "subprocess.Popen[bytes]":
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return _popen([postgres, "-D", str(folder / "data"), *options], folder, account)


def _popen(
    command: list[str], folder: Path, account: pwd.struct_passwd | None
) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 -- the system's own binaries
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(
    server: "subprocess.Popen[bytes]", port: int, *, password: str, log: Path
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if asyncio.run(_answers(port, password)):
            return
        time.sleep(_POLL_SECONDS)
    raise CannotStart(f"the server does not start:\n{log.read_text()}")


async def _answers(port: int, password: str) -> bool:
    try:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user=_USER, password=password, database="postgres"
        )
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


def main(command: list[str]) -> int:
    """Run the command beside a server; return its status."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # clean up then, too
    if os.environ.get(VARIABLE):
        return subprocess.call(command)  # noqa: S603 -- given by who started us
    try:
        with private_server() as url:
            return subprocess.call(command, env={**os.environ, VARIABLE: url})  # noqa: S603 -- likewise
    except CannotStart as reason:
        print(f"Without PostgreSQL: {reason}", file=sys.stderr)
        return subprocess.call(command)  # noqa: S603 -- likewise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
