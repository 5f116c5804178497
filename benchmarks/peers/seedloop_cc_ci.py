"""The stack race as a user of `seedloop` writes it: 3 runs as tasks, a drawn wait before every step.

seedloop keeps asyncio's order of tasks; what a seed varies is time, so each step waits for a drawn while. Prints
schedules per second over seeds that find nothing (the check is left out, so that no run ends early).
"""

import asyncio
import sys
import time

import seedloop

RUNS, STEPS = 3, 23


async def one_run(world: seedloop.World, stack: dict, lock: asyncio.Lock, me: int) -> None:
    for step in range(STEPS):
        await asyncio.sleep(world.rng.random())
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


async def cluster(world: seedloop.World) -> None:
    stack, lock = {}, asyncio.Lock()
    await asyncio.gather(*(one_run(world, stack, lock, me) for me in range(RUNS)))


if __name__ == "__main__":
    schedules = int(sys.argv[1])
    begun = time.process_time()
    assert seedloop.check(cluster, seeds=schedules).checked == schedules
    print(schedules / (time.process_time() - begun))
