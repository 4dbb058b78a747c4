"""A message as the people in the channel see it, with everything that ever happened to it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulator.errors import Json
from tests.simulator.news import News

if TYPE_CHECKING:
    from tests.simulator.channel import Channel
    from tests.simulator.people import User

SUPPRESS_EMBEDS = 1 << 2
EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_NOTIFICATIONS = 1 << 12
IS_COMPONENTS_V2 = 1 << 15

_BUTTON = 2
_SELECTS = frozenset({3, 5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Version:
    """How a message looked from `at` (monotonic seconds) on."""

    at: float
    content: str
    embeds: tuple[Json, ...]
    components: tuple[Json, ...]
    loading: bool = False
    """Whether it only showed "thinking..."."""

    @property
    def title(self) -> str:
        """The title of the first embed."""
        return str(self.embeds[0].get("title", "")) if self.embeds else ""

    @property
    def text(self) -> str:
        """All words on it: content, embeds, and text components."""
        words = [self.content]
        for embed in self.embeds:
            words += _words_of(embed)
        words += [part["content"] for part in all_components(self.components) if "content" in part]
        return "\n".join(word for word in words if word)


@dataclass(eq=False)
class SimMessage:
    """One message. Its attributes are its newest state; `history` has every state it was in."""

    id: int
    channel: "Channel"
    author: "User"
    author_json: Json
    type: int
    sent_at: float
    """Monotonic seconds."""
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    flags: int = 0
    tts: bool = False
    pinned: bool = False
    nonce: int | str | None = None
    reference: Json | None = None
    replied_to: "SimMessage | None" = None
    webhook_id: int | None = None
    application_id: int | None = None
    interaction_id: int | None = None
    interaction_metadata: Json | None = None
    only_for: "User | None" = None
    """The one person who sees it; None where everybody in the channel does."""
    mentioned_users: "list[User]" = field(default_factory=list)
    mentioned_roles: list[int] = field(default_factory=list)
    mentions_everyone: bool = False
    pinged_users: "set[User]" = field(default_factory=set)
    """Who got a notification from it; edits add nobody."""
    reactions: "dict[str, list[User]]" = field(default_factory=dict)
    edited: str | None = None
    deleted: bool = False
    deleted_at: float | None = None
    history: list[Version] = field(default_factory=list)
    news: News = field(default_factory=News)

    # ── what it looks like ──────────────────────────────────────────────────

    @property
    def latest(self) -> Version:
        """The newest version."""
        return self.history[-1]

    @property
    def title(self) -> str:
        """The title of the first embed."""
        return self.latest.title

    @property
    def text(self) -> str:
        """All words on it."""
        return self.latest.text

    @property
    def color(self) -> int | None:
        """The colour of the first embed."""
        return self.embeds[0].get("color") if self.embeds else None

    @property
    def loading(self) -> bool:
        """Whether it still shows "thinking..."."""
        return bool(self.flags & LOADING)

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return self.only_for is not None

    @property
    def edits(self) -> int:
        """How often it was edited after it was first readable."""
        return max(0, sum(not version.loading for version in self.history) - 1)

    @property
    def buttons(self) -> list[Json]:
        """Its buttons, from left to right and top to bottom."""
        return [part for part in all_components(self.components) if part["type"] == _BUTTON]

    @property
    def labels(self) -> list[str]:
        """What stands on its buttons that can be clicked."""
        return [label_of(button) for button in self.buttons if not button.get("disabled")]

    @property
    def selects(self) -> list[Json]:
        """Its drop-down lists."""
        return [part for part in all_components(self.components) if part["type"] in _SELECTS]

    def __repr__(self) -> str:
        return f"<message {self.id}: {self.describe()}>"

    def describe(self) -> str:
        """Return one line for the failure text of a test."""
        marks = [
            *(["deleted"] if self.deleted else []),
            *([f"only {self.only_for} sees it"] if self.only_for else []),
            *(["thinking…"] if self.loading else []),
            *([f"edited {self.edits}x"] if self.edits else []),
        ]
        words = " ⏎ ".join(self.text.splitlines())[:200] if self.history else ""
        buttons = f" [{'|'.join(map(label_of, self.buttons))}]" if self.buttons else ""
        files = f" +{len(self.attachments)} files" if self.attachments else ""
        return f"{self.author}: {words!r}{buttons}{files}" + (
            f" ({', '.join(marks)})" if marks else ""
        )

    # ── waiting ─────────────────────────────────────────────────────────────

    async def changes(
        self,
        *,
        title: str | None = None,
        text: str | None = None,
        since: int | None = None,
        within: float = 5.0,
    ) -> "SimMessage":
        """Wait for an edit.

        With `title` or `text`: until the message shows it, at once if it does already. Without:
        for the next edit, counted from `since` edits where that is given.

        Raises:
            AssertionError: It did not come in time; the text has the history.
        """
        seen = self.edits if since is None else since

        def shown() -> bool | None:
            if title is None and text is None:
                return self.edits > seen or None
            fits = (title or "") in self.title and (text or "") in self.text
            return (fits and not self.loading) or None

        if await self.news.until(shown, within) is None:
            wanted = title or text or "any edit"
            raise AssertionError(f"{wanted!r} did not show within {within:g} s.\n{self.account()}")
        return self

    async def gone(self, *, within: float = 5.0) -> None:
        """Wait until somebody deletes it.

        Raises:
            AssertionError: It is still there.
        """
        if await self.news.until(lambda: self.deleted or None, within) is None:
            raise AssertionError(f"It is still there after {within:g} s.\n{self.account()}")

    async def loses_buttons(self, *, within: float = 5.0) -> None:
        """Wait until nothing on it can be clicked.

        Raises:
            AssertionError: Something still can.
        """
        if await self.news.until(lambda: not self.labels or None, within) is None:
            raise AssertionError(f"It has buttons after {within:g} s.\n{self.account()}")

    def account(self) -> str:
        """Tell its history in words."""
        begin = self.sent_at
        lines = [f"{self.describe()}"]
        for version in self.history:
            words = " ⏎ ".join(version.text.splitlines())[:200]
            lines.append(f"  +{version.at - begin:.3f} s {words!r}")
        return "\n".join(lines)

    # ── written by the server ───────────────────────────────────────────────

    def note_version(self, at: float) -> None:
        """Keep the present state in the history and tell who waits."""
        self.history.append(
            Version(at, self.content, tuple(self.embeds), tuple(self.components), self.loading)
        )
        self.news.ring()


def all_components(components: "list[Json] | tuple[Json, ...]") -> list[Json]:
    """Return components with everything that lies inside them, in the order of reading."""
    found: list[Json] = []
    for component in components:
        found.append(component)
        found += all_components(component.get("components", ()))
        inside = [component[key] for key in ("accessory", "component") if key in component]
        found += all_components(inside)
    return found


def label_of(button: Json) -> str:
    """Return what one reads on a button: its emoji and its label."""
    emoji = (button.get("emoji") or {}).get("name") or ""
    return " ".join(part for part in (emoji, button.get("label") or "") if part)


def _words_of(embed: Json) -> list[str]:
    fields: list[Any] = [embed.get("title"), embed.get("description")]
    fields.append((embed.get("author") or {}).get("name"))
    for entry in embed.get("fields", ()):
        fields += [entry.get("name"), entry.get("value")]
    fields.append((embed.get("footer") or {}).get("text"))
    return [str(words) for words in fields if words]
