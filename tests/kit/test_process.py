"""The process is made ready for busy threads and a thousand connections."""

import subprocess
import sys
from pathlib import Path

SHOW = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from bot.kit.process import prepare_process
prepare_process()
print(sys.getswitchinterval(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_threads_give_way_soon_and_a_thousand_connections_are_allowed() -> None:
    shown = subprocess.run(  # noqa: S603 -- our own interpreter with the lines above
        [sys.executable, "-c", SHOW],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    interval, files = shown.stdout.split()

    assert float(interval) <= 0.001
    assert int(files) > 2000
