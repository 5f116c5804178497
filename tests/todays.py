"""The seeds that a large gate takes today: a seventh of all, another one each day, so that a week takes every seed.

`DSTAMP_DAY` says which: a number of days since 1970 (in UTC; today's, unless it is set), or `all` for every seed. The
end of a test run names it, so a failure can be repeated on any other day. What a gate takes depends on nothing else.
"""

import os
import time

DAY, ALL, PARTS = "DSTAMP_DAY", "all", 7


def the_day() -> str:
    """The day that `DSTAMP_DAY` says. Set once, it is the same for all processes of a test run, also past midnight."""
    return os.environ.setdefault(DAY, str(int(time.time() // 86_400)))


def said() -> str:
    """The line at the end of a test run."""
    day = the_day()
    part = "every seed" if day == ALL else f"part {int(day) % PARTS + 1} of {PARTS} of the seeds"
    return f"large gates take {part} ({DAY}={day}; {DAY}={ALL} takes every seed)"


def todays(seeds: range, parts: int = PARTS) -> range:
    """The seeds of the day: every seventh (of `parts`), so that each part has small and large systems alike."""
    day = the_day()
    return seeds if day == ALL else seeds[int(day) % parts :: parts]


def todays_trials(trials: int) -> tuple[int, int]:
    """The seed and the number of a gate's random trials of the day: a seventh of them, drawn anew each day."""
    day = the_day()
    return (0, trials) if day == ALL else (int(day), -(-trials // PARTS))


def in_parts(seeds: range, size: int) -> list[range]:
    """The seeds of the day in parts of `size`, which the cores share."""
    today = todays(seeds)
    return [today[first : first + size] for first in range(0, len(today), size)]
