"""A connection that goes back twice is handed out twice: two requests talk over each other's query.

A request that fails gives its connection back where it handles the error, and again where it cleans up.
"""

from dstamp_sim import Channel, Inside, Process, Program, System, always, delay

pool, users = Channel("pool", ("connection",)), Inside("users of the connection")


def request(fails: bool) -> Program[None]:
    connection = yield pool.receive()
    yield users.enter()
    yield delay("query")
    yield users.leave()
    yield pool.send(connection)
    if fails:
        yield pool.send(connection)


def build(requests: int = 2) -> System:
    return System(
        objects=[pool, users],
        processes=[
            Process("failing request", request, True),
            Process("request", request, False, copies=requests),
        ],
        properties=[always("one user at a time", lambda state: state[users] <= 1, reads=[users])],
    )
