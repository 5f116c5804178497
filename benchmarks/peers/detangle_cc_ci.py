"""The stack race as a user of `detangle` writes it: 3 runs as coroutines, a yield to the loop before every step.

Prints schedules per second over random walks that find nothing (the check is left out, so that no run ends early).
"""

import asyncio
import sys
import time

import detangle

RUNS, STEPS = 3, 23


async def one_run(stack: dict, lock: asyncio.Lock, me: int) -> None:
    for step in range(STEPS):
        await asyncio.sleep(0)
        if step == 2:
            await lock.acquire()
        elif step == 9:
            stack["stamp"] = "base"
        elif step == 10:
            lock.release()
        elif step == 18:
            stack["stamp"] = f"head of {me}"
        elif step == 20:
            stack["seen"] = stack.get("stamp")


async def cluster() -> None:
    stack, lock = {}, asyncio.Lock()
    await asyncio.gather(*(one_run(stack, lock, me) for me in range(RUNS)))


if __name__ == "__main__":
    schedules = int(sys.argv[1])
    begun = time.process_time()
    detangle.explore(cluster, runs=schedules, strategy=sys.argv[2], seed=1, shrink=False, database=False)
    print(schedules / (time.process_time() - begun))
