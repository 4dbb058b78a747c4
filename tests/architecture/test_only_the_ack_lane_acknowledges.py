"""No second way to acknowledge: an interaction answered twice is an interaction failed."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import (
    PRODUCT,
    SourceFile,
    holds,
    imports,
    is_of,
    parsed,
    python_files,
)

LANE = "bot/kit/clicks"

_RESPONDS = frozenset(
    {"defer", "edit_message", "pong", "send_autocomplete", "send_message", "send_modal"}
)
_VIEW_STORE = frozenset({"add_view", "add_modal", "store_view", "store_modal"})
_CALLBACK_ROUTE = "/callback"


def second_acknowledgements(file: SourceFile) -> Iterator[str]:
    """Find the library's ways to answer an interaction, and its views and modals."""
    if file.is_in(LANE):
        return
    for line, name in imports(file):
        if is_of(name, "nextcord.ui"):
            yield f"{line}: imports nextcord.ui"
    for node in ast.walk(file.tree):
        yield from _by_attribute(node)
        yield from _by_call(node)
        if isinstance(node, ast.Constant) and _is_route(node.value):
            yield f"{node.lineno}: names the callback route"


def _by_attribute(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Attribute):
        return
    owner = node.value
    if node.attr in _RESPONDS and isinstance(owner, ast.Attribute) and owner.attr == "response":
        yield f"{node.lineno}: .response.{node.attr}"
    if node.attr == "ui" and isinstance(owner, ast.Name) and owner.id == "nextcord":
        yield f"{node.lineno}: nextcord.ui"
    if node.attr in _VIEW_STORE:
        yield f"{node.lineno}: .{node.attr}"
    if node.attr == "send" and isinstance(owner, ast.Name) and owner.id == "interaction":
        yield f"{node.lineno}: interaction.send"


def _by_call(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and any(keyword.arg == "view" for keyword in node.keywords):
        yield f"{node.lineno}: sends a view"


def _is_route(value: object) -> bool:
    return isinstance(value, str) and value.endswith(_CALLBACK_ROUTE) and " " not in value


def other_senders_in_the_lane(file: SourceFile) -> Iterator[str]:
    """Within the package, too, one module alone knows the route."""
    if file.path == f"{LANE}/ack_lane.py":
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and _is_route(node.value):
            yield f"{node.lineno}: names the callback route"


def test_nothing_outside_of_the_click_stream_acknowledges() -> None:
    holds(second_acknowledgements, python_files(*PRODUCT))


def test_one_module_alone_sends_callbacks() -> None:
    files = python_files(*PRODUCT)
    holds(other_senders_in_the_lane, files)
    lane = [file for file in files if file.path == f"{LANE}/ack_lane.py"]
    assert [
        len([n for n in ast.walk(f.tree) if _is_route(getattr(n, "value", 0))]) for f in lane
    ] == [1]


# ── the rules themselves ────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "text",
    [
        "await interaction.response.defer()",
        "await self.interaction.response.send_message('hi')",
        "await i.response.edit_message(content='hi')",
        "await i.response.send_modal(form)",
        "await i.response.send_autocomplete([])",
        "respond = interaction.response.defer",
        "await interaction.send('hi')",
        "import nextcord.ui",
        "from nextcord.ui import View",
        "from nextcord import ui",
        "class Menu(nextcord.ui.View): ...",
        "await channel.send('hi', view=menu)",
        "bot.add_view(menu)",
        "url = f'{base}/interactions/{id}/{token}/callback'",
    ],
)
def test_rule_sees_a_second_way_to_acknowledge(text: str) -> None:
    code = f"async def f():\n    {text}"
    assert list(second_acknowledgements(parsed(code, "cogs/play.py")))


@pytest.mark.parametrize(
    "text",
    [
        "await channel.send('hi')",
        "await answer.follow_up(body, private=True)",
        "response = await session.get(url)",
        "await message.edit(content='hi')",
    ],
)
def test_rule_leaves_other_code_alone(text: str) -> None:
    code = f"async def f():\n    {text}"
    assert list(second_acknowledgements(parsed(code, "cogs/play.py"))) == []
