"""Which bytes of a file are there, when they arrive in pieces and out of order."""

from bisect import bisect_left, bisect_right


class ByteRanges:
    """A set of positions, kept as few sorted half-open ranges."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def __iter__(self) -> "zip[tuple[int, int]]":
        return zip(self._starts, self._stops, strict=True)

    def add(self, start: int, stop: int) -> None:
        """Put in the positions from `start` up to, without, `stop`."""
        if start >= stop:
            return
        first = bisect_left(self._stops, start)
        last = bisect_right(self._starts, stop)
        if first < last:  # it touches what is there: swallow that
            start = min(start, self._starts[first])
            stop = max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def remove(self, start: int, stop: int) -> None:
        """Take out the positions from `start` up to, without, `stop`."""
        touched = [pair for pair in self if pair[0] < stop and pair[1] > start]
        for left, right in touched:
            index = self._starts.index(left)
            del self._starts[index], self._stops[index]
            self.add(left, max(left, start))
            self.add(min(right, stop), right)

    def end_of_run(self, position: int) -> int:
        """Return where the gapless run that holds `position` ends; `position` where none does."""
        index = bisect_right(self._starts, position) - 1
        if index < 0:
            return position
        return max(position, self._stops[index])

    def next_start(self, position: int) -> int | None:
        """Return the first position at or after `position` that is there."""
        if self.end_of_run(position) > position:
            return position
        index = bisect_left(self._starts, position)
        return self._starts[index] if index < len(self._starts) else None
