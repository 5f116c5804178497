"""A pool whose connections go back once: who handles an error leaves it to the clean-up to give the connection back."""

from dstamp_sim import Channel, Inside, Process, Program, System, always, delay

pool, users = Channel("pool", ("connection",)), Inside("users of the connection")


def request() -> Program[None]:
    connection = yield pool.receive()
    yield users.enter()
    yield delay("query")
    yield users.leave()
    yield pool.send(connection)


def build(requests: int = 3) -> System:
    return System(
        objects=[pool, users],
        processes=[Process("request", request, copies=requests)],
        properties=[always("one user at a time", lambda state: state[users] <= 1, reads=[users])],
    )
