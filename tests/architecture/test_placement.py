"""What belongs in one place stands in one place."""

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

SWALLOWS_EVERYTHING = {
    "bot/adapters/ytdlp_worker.py": "error boundary of a job: extractors raise anything",
    "bot/kit/clicks/delivery.py": "stream delivery",
    "bot/kit/client.py": "error boundary of gateway events",
    "bot/kit/command_runner.py": "error boundary of commands",
    "bot/node/frames.py": "background task: the track ends with a failure",
    "bot/node/routes.py": "error boundary of requests",
    "bot/node/sender.py": "stream delivery: one player must not silence all",
    "bot/node/voice.py": "background task: its player hears of it",
    "bot/node/workers.py": "background task",
    "services/audio/inbox.py": "background task",
    "services/audio/journal.py": "background task",
    "services/background.py": "background task",
}
"""The only files that may catch everything without raising it again, and as what."""


def misplaced_sqlalchemy(file: SourceFile) -> Iterator[str]:
    if file.is_in("services/db", "migrations") or file.name.endswith("repository.py"):
        return
    yield from _imported(file, "sqlalchemy")


def misplaced_wavelink(file: SourceFile) -> Iterator[str]:
    if not file.path.startswith("bot/adapters/wavelink_"):
        yield from _imported(file, "wavelink")


def misplaced_settings(file: SourceFile) -> Iterator[str]:
    """The command line reads them once, hands them to `bot.app`, and tells what is wrong."""
    if file.path not in ("bot/app.py", "bot/__main__.py"):
        yield from _imported(file, "bot.settings")


def discord_in_services(file: SourceFile) -> Iterator[str]:
    for package in ("nextcord", "discord", "wavelink", "bot", "cogs"):
        yield from _imported(file, package)


def misplaced_commits(file: SourceFile) -> Iterator[str]:
    if file.path == "services/db/unit_of_work.py":
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and node.attr == "commit":
            yield f"{node.lineno}: commits"


def swallowed_errors(file: SourceFile) -> Iterator[str]:
    if file.path in SWALLOWS_EVERYTHING:
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises(node):
            yield f"{node.lineno}: catches everything"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))
        for kind in kinds
    )


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def _imported(file: SourceFile, package: str) -> Iterator[str]:
    lines = sorted({line for line, name in imports(file) if is_of(name, package)})
    yield from (f"{line}: imports {package}" for line in lines)


def test_sqlalchemy_stands_in_the_database_folder_and_in_repositories_alone() -> None:
    holds(misplaced_sqlalchemy, python_files(*PRODUCT))


def test_wavelink_stands_in_its_adapter_alone() -> None:
    holds(misplaced_wavelink, python_files(*PRODUCT))


def test_settings_are_read_by_the_composition_root_alone() -> None:
    holds(misplaced_settings, python_files(*PRODUCT))


def test_services_know_nothing_of_discord() -> None:
    holds(discord_in_services, python_files("services"))


def test_only_the_unit_of_work_commits() -> None:
    holds(misplaced_commits, python_files(*PRODUCT))


def test_only_named_places_swallow_every_error() -> None:
    holds(swallowed_errors, python_files(*PRODUCT))


# ── the rules themselves ────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "text",
    [
        "import sqlalchemy",
        "import sqlalchemy.orm",
        "from sqlalchemy import select",
        "def f():\n    from sqlalchemy.ext.asyncio import AsyncSession",
    ],
)
def test_rule_sees_every_form_of_import(text: str) -> None:
    assert len(list(misplaced_sqlalchemy(parsed(text, "cogs/play.py")))) == 1
    assert list(misplaced_sqlalchemy(parsed(text, "services/gather/repository.py"))) == []
    assert list(misplaced_sqlalchemy(parsed(text, "services/db/engine.py"))) == []


def test_rule_does_not_take_one_package_for_another() -> None:
    text = "import bottle\nfrom discordant import x"
    assert list(discord_in_services(parsed(text))) == []


def test_rule_sees_settings_read_by_a_cog() -> None:
    for text in ("from bot.settings import Settings", "from bot import settings"):
        assert len(list(misplaced_settings(parsed(text, "cogs/play.py")))) == 1


def test_rule_sees_a_commit_outside_of_the_unit_of_work() -> None:
    text = "async def f(session):\n    await session.commit()"
    assert list(misplaced_commits(parsed(text))) == ["2: commits"]
    assert list(misplaced_commits(parsed(text, "services/db/unit_of_work.py"))) == []


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception: pass", 1),
        ("except BaseException: pass", 1),
        ("except (ValueError, Exception): pass", 1),
        ("except: pass", 1),
        ("except Exception: clean_up(); raise", 0),
        ("except ValueError: pass", 0),
    ],
)
def test_rule_sees_swallowed_errors(handler: str, found: int) -> None:
    assert len(list(swallowed_errors(parsed(f"try: f()\n{handler}")))) == found
