"""What the bot has asked of the API, for tests and benchmarks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was answered.

    `at` is when it came (monotonic seconds), `seconds` how long the answer took; `code` is the
    JSON error code, 0 where there is none.
    """

    at: float
    method: str
    route: str
    path: str
    status: int
    code: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}{f' ({self.code})' if self.code else ''}"
