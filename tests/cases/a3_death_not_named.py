"""A release is two writes; whoever dies between them leaves one. runs=1: no cause is named; runs=2: a healthy read is."""

from dstamp_sim import Process, Program, Register, System, at_end

image = Register("image", 1)
config = Register("config", 1)


def deploy() -> Program[None]:
    seen = yield image.read()
    yield image.write(seen + 1)
    yield config.write(seen + 1)


def build(runs: int = 2, crashes: int = 1) -> System:
    return System(
        objects=[image, config],
        processes=[Process(f"run-{n}", deploy) for n in range(1, runs + 1)],
        properties=[
            at_end("both or none", lambda results, state: state[image] == state[config], reads=[image, config])
        ],
        crashes=crashes,
    )
