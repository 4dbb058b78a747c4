"""What the process itself needs to answer quickly, also a thousand clicks at once."""

import gc
import sys

if sys.platform != "win32":
    import resource

_SWITCH_SECONDS = 0.0005
"""A busy thread gives the interpreter back to the event loop after so long."""

_OPEN_FILES = 8192
"""A thousand acknowledgements under way are a thousand connections."""


def prepare_process() -> None:
    """Let the event loop run soon beside busy threads, and allow enough connections."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    if sys.platform == "win32":  # it has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def settle_heap() -> None:
    """Take what the start has made out of the garbage collector's sight.

    All guilds and modules live until the end; looking through them holds the event loop up.
    """
    gc.collect()
    gc.freeze()
