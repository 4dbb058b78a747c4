"""A music site on this machine, with songs of known pitch and every way to misbehave."""

from tests.simulator.site.server import PLUGIN_DIR, SEARCH_KEY, MusicSite
from tests.simulator.site.songs import SONGS, Song

__all__ = ["PLUGIN_DIR", "SEARCH_KEY", "SONGS", "MusicSite", "Song"]
