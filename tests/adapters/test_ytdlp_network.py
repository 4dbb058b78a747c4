"""Inside of an extraction worker, no way of connecting gets around the guard."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

_SCRIPT = """
import os, socket, subprocess, sys, urllib.request
from bot.adapters.address_guard import AddressGuard
from bot.adapters.ytdlp_network import NetworkGuard

port, allowed, way = int(sys.argv[1]), sys.argv[2], sys.argv[3]
guard = NetworkGuard(AddressGuard([allowed] if allowed else []))
guard.install()
plain = socket.socket()
ways = {
    "number": lambda: plain.connect(("127.0.0.1", port)),
    "name": lambda: plain.connect(("localhost", port)),
    "quietly": lambda: plain.connect_ex(("127.0.0.1", port)),
    "looked-up": lambda: socket.create_connection(("localhost", port)),
    "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
    "path": lambda: socket.socket(socket.AF_UNIX).connect("/tmp/nobody.sock"),
    "url": lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
    "program": lambda: subprocess.run(["curl", f"http://127.0.0.1:{port}/"]),
    "shell": lambda: os.system("true"),
}
try:
    ways[way]()
except OSError as error:
    print("refused" if guard.has_refused or isinstance(error, PermissionError) else error)
else:
    print("connected")
"""


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that takes connections and hangs up."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def accept() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def outcome(port: int, way: str, *, allowed: str = "") -> str:
    done = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-c", _SCRIPT, str(port), allowed, way],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "way",
    ["number", "name", "quietly", "looked-up", "datagram", "path", "url", "program", "shell"],
)
def test_worker_connecting_inside_is_refused(listener: int, way: str) -> None:
    assert outcome(listener, way) == "refused"


@pytest.mark.parametrize("way", ["number", "quietly"])
def test_worker_connecting_to_an_allowed_number_connects(listener: int, way: str) -> None:
    assert outcome(listener, way, allowed=f"127.0.0.1:{listener}") == "connected"


def test_worker_connecting_to_an_allowed_name_connects_where_it_leads(listener: int) -> None:
    assert outcome(listener, "looked-up", allowed=f"localhost:{listener}") == "connected"
    assert outcome(listener, "number", allowed=f"localhost:{listener}") == "refused"
