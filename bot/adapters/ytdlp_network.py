"""The address guard inside of an extraction worker: nothing in the process connects elsewhere.

Extractors follow what pages tell them, through several HTTP libraries. Two hooks hold them all:
name lookups are filtered (so that a name leads only to checked addresses), and an audit hook of the
interpreter looks at the very address of every connection, which no library can bypass. Programs
other than JavaScript runtimes are not started, since they would not be under the guard.
"""

import socket
import sys
from pathlib import PurePath
from typing import Any

from bot.adapters.address_guard import AddressGuard

_RUNTIMES = {"deno", "node", "bun", "qjs"}
_resolve = socket.getaddrinfo


class AddressBlocked(OSError):
    """The guard has stopped a connection."""


class NetworkGuard:
    """Holds the whole process to `guard`, from `install` on and for good."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._granted: set[tuple[str, int]] = set()
        self.has_refused = False
        """Whether a connection was stopped since this was last set to False."""

    def install(self) -> None:
        """Begin to watch; cannot be undone."""
        socket.getaddrinfo = self._getaddrinfo
        sys.addaudithook(self._audit)

    def _getaddrinfo(
        self, host: Any, port: Any, *args: Any, **kwargs: Any
    ) -> list[tuple[Any, Any, Any, Any, Any]]:
        name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
        found = _resolve(host, port, *args, **kwargs)
        for *_, address in found:
            numeric, number = str(address[0]), int(address[1])
            if not self._guard.permits(name, number, numeric):
                raise self._blocked(name)
            if self._guard.allows_host(name, number):
                self._granted.add((numeric, number))
        return found

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.sendto"}:
            self._check(arguments[1])
        elif event in {"subprocess.Popen", "os.exec", "os.posix_spawn"}:
            program = PurePath(str(arguments[0])).stem
            if program not in _RUNTIMES:
                raise PermissionError(f"an extractor may not start {program}")
        elif event == "os.system":
            raise PermissionError("an extractor may not start a shell")

    def _check(self, address: Any) -> None:
        if not isinstance(address, tuple):  # a local socket's path
            raise self._blocked(str(address))
        host, port = str(address[0]), int(address[1])
        # a name here would be looked up below Python, unseen: only checked numbers may pass
        if (host, port) not in self._granted and not self._guard.permits(host, port, host):
            raise self._blocked(host)

    def _blocked(self, host: str) -> AddressBlocked:
        self.has_refused = True
        return AddressBlocked(f"the address guard refuses {host}")
