"""The player that runs dry first gets its frames first, and nothing disturbs the sender."""

import threading
from functools import partial

from bot.node.workers import DecodeWorkers

PATIENCE = 10.0


def test_job_that_is_due_first_runs_first() -> None:
    workers, hold, done = DecodeWorkers(1), threading.Event(), threading.Event()
    order: list[str] = []

    def wait() -> None:
        hold.wait(PATIENCE)

    workers.submit(wait, due=0.0)
    for name, due in (("late", 9.0), ("soon", 1.0), ("later", 9.0), ("now", 0.5)):
        workers.submit(partial(order.append, name), due=due)
    workers.submit(done.set, due=99.0)
    hold.set()
    assert done.wait(PATIENCE)
    workers.close()
    assert order == ["now", "soon", "late", "later"]


def test_job_that_fails_does_not_stop_the_others() -> None:
    workers, done = DecodeWorkers(1), threading.Event()

    def fail() -> None:
        raise RuntimeError("broken")

    workers.submit(fail, due=0.0)
    workers.submit(done.set, due=1.0)
    assert done.wait(PATIENCE)
    workers.close()


def test_jobs_give_way_while_packets_are_sent() -> None:
    road = threading.Lock()
    workers, passed = DecodeWorkers(1, right_of_way=road), threading.Event()

    def job() -> None:
        workers.give_way()
        passed.set()

    with road:
        workers.submit(job, due=0.0)
        assert not passed.wait(0.05)
    assert passed.wait(PATIENCE)
    workers.close()
