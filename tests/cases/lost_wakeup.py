"""Look, then wait for a bell that rings once for whoever waits already."""

from dstamp_sim import Op, Outcome, Process, Program, Register, SharedObject, System

job = Register("job", False)


class Bell(SharedObject):
    """State: whether somebody listens, and whether it rang for them."""

    def listen(self) -> Op:
        return self.op("listen")

    def hear(self) -> Op:
        return self.op("hear")

    def ring(self) -> Op:
        return self.op("ring")

    def outcomes(self, s: str, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "listen":
                return (Outcome("listening"),)
            case "hear":
                return (Outcome("quiet"),) if s == "rang" else ()
            case "ring":
                return (Outcome("rang" if s == "listening" else s),)
        raise self.unknown_verb(op)


bell = Bell("bell", "quiet")


def worker() -> Program[str]:
    while not (yield job.read()):
        yield bell.listen()
        yield bell.hear()
    return "worked"


def producer() -> Program[str]:
    yield job.write(True)
    yield bell.ring()
    return "told"


def build() -> System:
    return System(objects=[job, bell], processes=[Process("worker", worker), Process("producer", producer)])
