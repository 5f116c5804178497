"""Objects of a user's own that processes hold or wait for, none of them marked as a lock."""

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, delay


class Lease(SharedObject):
    """Held by a numbered holder (0: by nobody) until it is given back or lapses; its holder may renew it."""

    def outcomes(self, state: tuple[int, int], op: Op) -> tuple[Outcome, ...]:
        holder, given = state
        match op.verb, op.args:
            case "acquire", ():
                return () if holder else (Outcome((given + 1, given + 1), given + 1, takes=given + 1),)
            case "release", (token,):
                return (Outcome((0, given) if holder == token else state, drops=token),)
            case "renew", (token,):
                return (Outcome((token, given) if holder in (0, token) else state, holder in (0, token)),)
            case "lapse", ():
                return (Outcome((0, given)),) if holder else ()
        raise self.unknown_verb(op)


class Tokens(SharedObject):
    """So many; whoever finds none waits. More may be added. Who dies does not give them back."""

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "get":
                return (Outcome(state - 1, takes="token"),) if state else ()
            case "put":
                return (Outcome(state + 1, drops="token"),)
            case "add":
                return (Outcome(state + 1),)
        raise self.unknown_verb(op)


class Bell(SharedObject):
    """It rings for whoever listens already."""

    def outcomes(self, state: str, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "listen":
                return (Outcome("listening"),)
            case "hear":
                return (Outcome("quiet"),) if state == "rang" else ()
            case "ring":
                return (Outcome("rang" if state == "listening" else state),)
        raise self.unknown_verb(op)


LEASE = Lease("lease", (0, 0))


def lease_that_lapses() -> System:
    """Two runs work under a lease that time may end at any moment."""
    return System(objects=[LEASE], processes=[Process("run", _work, copies=2), Process("time", _time, daemon=True)])


def _work() -> Program[None]:
    token = yield LEASE.op("acquire")
    yield delay("work")
    yield LEASE.op("release", token)


def _time() -> Program[None]:
    yield LEASE.op("lapse")
