"""A worker that dies is waited for, while a heartbeat beats on."""

from dstamp_sim import Process, Program, Register, System, at_end

done, beat = Register("done", False), Register("beat", 0)


def worker() -> Program[None]:
    yield done.write(True)


def main() -> Program[str]:
    yield done.wait_for(True)
    return "finished"


def heartbeat() -> Program[None]:
    yield beat.write(1)
    yield beat.write(0)


def build() -> System:
    return System(
        objects=[done, beat],
        processes=[
            Process("worker", worker),
            Process("main", main, killable=False),
            Process("heartbeat", heartbeat, daemon=True),
        ],
        properties=[at_end("finished", lambda r: r.get("main") == "finished")],
    )
