"""A job that takes longer than its visibility timeout comes again: two workers charge the same order.

Any queue with at-least-once delivery, such as Amazon SQS: a message that was received is only hidden for a while.
"""

from dstamp_sim import Process, Program, Queue, Store, System, always, delay

queue, charge = Queue("queue", ("order",)), Store("charge")


def work() -> Program[None]:
    job = yield queue.try_receive()
    if job is None:
        return
    yield delay("charge the card")
    yield charge.put(job.message)
    yield queue.acknowledge(job.receipt)


def build(workers: int = 2) -> System:
    return System(
        objects=[queue, charge],
        processes=[
            Process("worker", work, copies=workers),
            Process("visibility", queue.redelivers, daemon=True),
        ],
        properties=[always("charged once", lambda state: state[charge].number <= 1, reads=[charge])],
    )
