"""What the site offers: songs that can be told apart by pitch, and some that cannot be had."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One page of the site; `problem` names what keeps it from being played."""

    id: str
    title: str
    artist: str = "The Test Tones"
    hz: int
    seconds: float = 8
    codec: str = "webm"
    """How the sound is handed out: a kind of file, or `hls`."""
    problem: str = ""
    announced_seconds: float | None = None
    """The length the page claims, where it is not the file's own."""

    @property
    def length(self) -> float:
        """The length the page tells, in seconds."""
        return self.seconds if self.announced_seconds is None else self.announced_seconds


SONGS = {
    song.id: song
    for song in (
        Song(id="morning", title="Morning in A", hz=440, codec="webm"),
        Song(id="evening", title="Evening in A", hz=880, codec="mp3"),
        Song(id="harbour", title="Harbour Lights", artist="Low Tide", hz=330, codec="m4a"),
        Song(id="lantern", title="Lantern Song", artist="Low Tide", hz=550, codec="ogg"),
        Song(id="meadow", title="Meadow Dance", artist="Fieldwork", hz=660, codec="flac"),
        Song(id="winter", title="Winter Road", artist="Fieldwork", hz=770, codec="mp3"),
        Song(id="ferry", title="The Last Ferry", artist="Low Tide", hz=990, codec="webm"),
        Song(id="paper", title="Paper Boats", artist="Fieldwork", hz=1100, codec="ogg"),
        Song(id="pieces", title="Song in Pieces", artist="Fieldwork", hz=1210, codec="hls"),
        Song(
            id="markup",
            title="**bold** @everyone <@1234> `code` \u202eright to left\u202c [link](http://x)",
            hz=500,
        ),
        Song(id="epic", title="Epic of Ten Hours", hz=440, announced_seconds=36_000),
        Song(id="radio", title="Radio for Ever", hz=440, problem="live"),
        Song(id="secret", title="Secret Demo", hz=440, problem="private"),
        Song(id="removed", title="Removed Song", hz=440, problem="removed"),
        Song(id="grown-up", title="Song for Grown-ups", hz=440, problem="age"),
        Song(id="elsewhere", title="Song from Elsewhere", hz=440, problem="region"),
        Song(id="patrons", title="Song for Patrons", hz=440, problem="login"),
        Song(id="robot", title="Song behind a Robot Check", hz=440, problem="robot"),
        Song(id="silent-film", title="Silent Film", hz=440, problem="no_audio"),
        Song(id="busy", title="Song of a Busy Server", hz=440, problem="busy"),
        Song(id="maze", title="Song nobody can read", hz=440, problem="broken_page"),
        Song(id="stuck", title="Song that never answers", hz=440, problem="hang"),
        Song(id="crasher", title="Song that crashes its reader", hz=440, problem="crash"),
        Song(id="crash-once", title="Song that crashes once", hz=440, problem="crash_once"),
        Song(id="inside-job", title="Song that looks inside", hz=440, problem="inside"),
    )
}
"""Every song by its id."""

PLAYABLE = tuple(song for song in SONGS.values() if not song.problem)

LISTS = {
    "tides": ("Songs of the Tide", ("harbour", "lantern", "ferry")),
    "mixed": ("Mixed Luck", ("morning", "epic", "radio", "secret", "evening")),
    "empty": ("Nothing Here", ()),
    "hopeless": ("All too long", ("epic", "radio")),
}
"""Playlists: title and songs. `bomb` and `endless` are made on the fly."""


def search(words: str) -> list[Song]:
    """Return the songs that hold all words in title or artist, or all of them for `*`."""
    wanted = words.lower().split()
    if wanted == ["*"]:
        return list(PLAYABLE)
    return [
        song
        for song in SONGS.values()
        if all(word in f"{song.title} {song.artist}".lower() for word in wanted)
    ]
