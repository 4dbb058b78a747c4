"""Which handler serves which path, and what it is limited to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.simulator.errors import MethodNotAllowed, NotFound
from tests.simulator.rest.call import Answer, Call
from tests.simulator.rest.rate_limits import Limit

type Handler = Callable[[Call], Answer]

_MAJOR = ("channel_id", "guild_id", "webhook_id", "token")
_GENEROUS = 50


@dataclass(frozen=True)
class Route:
    """A path with its handler.

    Args:
        method: GET, POST ...
        path: With parameters in braces.
        handler: Who serves it.
        limits: Its rate limits; a generous one where none is known.
        limits_by: Chooses the limits by the request instead.
        anonymous: Whether no bot token is needed.
        exempt: Whether it does not count towards the 50 requests a second.
    """

    method: str
    path: str
    handler: Handler
    limits: tuple[Limit, ...] = ()
    limits_by: Callable[[Call], tuple[Limit, ...]] | None = None
    anonymous: bool = False
    exempt: bool = False

    def limits_for(self, call: Call) -> tuple[Limit, ...]:
        """Return the rate limits of a request."""
        if self.limits_by is not None:
            return self.limits_by(call)
        return self.limits

    def major_of(self, parameters: dict[str, str]) -> str:
        """Return the major ids of a request."""
        return ":".join(parameters[name] for name in _MAJOR if name in parameters)


class RouteTable:
    """The routes of one subject."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def add(
        self,
        method: str,
        path: str,
        *limits: Limit,
        limits_by: Callable[[Call], tuple[Limit, ...]] | None = None,
        anonymous: bool = False,
        exempt: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a function as the handler of a path."""

        def declare(handler: Handler) -> Handler:
            known = limits or (Limit(f"{method} {path}", _GENEROUS, 1.0),)
            self.routes.append(
                Route(method, path, handler, () if exempt else known, limits_by, anonymous, exempt)
            )
            return handler

        return declare


class Router:
    """Finds the route of a request."""

    def __init__(self, *tables: RouteTable) -> None:
        self._root: dict[str, Any] = {}
        for table in tables:
            for route in table.routes:
                self._insert(route)

    def _insert(self, route: Route) -> None:
        node = self._root
        for segment in route.path.strip("/").split("/"):
            key = "{}" if segment.startswith("{") else segment
            node = node.setdefault(key, {})
        if route.method in node.setdefault("", {}):
            raise ValueError(f"{route.method} {route.path} is there twice")
        node[""][route.method] = route

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and its parameters.

        Raises:
            ApiError: 404 or 405.
        """
        segments = raw_path.strip("/").split("/")
        methods = self._walk(self._root, segments, 0)
        if methods is None:
            raise NotFound
        route = methods.get(method)
        if route is None:
            raise MethodNotAllowed
        names = route.path.strip("/").split("/")
        parameters = {
            name[1:-1]: unquote(value)
            for name, value in zip(names, segments, strict=True)
            if name.startswith("{")
        }
        return route, parameters

    def _walk(self, node: dict[str, Any], segments: list[str], at: int) -> dict[str, Route] | None:
        if at == len(segments):
            return node.get("")
        for key in (segments[at], "{}"):
            if key and key in node:
                found = self._walk(node[key], segments, at + 1)
                if found is not None:
                    return found
        return None
