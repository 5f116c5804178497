"""A lock directory that a dead process left behind; whoever finds it old breaks it and makes its own."""

from typing import Literal

from dstamp_sim import (
    Copies,
    LockScope,
    Op,
    Outcome,
    Process,
    Program,
    SharedObject,
    System,
    always,
    at_end,
    delay,
    section,
)


class LockDir(SharedObject):
    """What stands at the path: nothing (""), a directory of a dead process ("old"), or one of somebody alive ("live")."""

    def mkdir(self) -> Op:
        return self.op("mkdir")

    def stat(self) -> Op:
        return self.op("stat")

    def rmdir(self) -> Op:
        return self.op("rmdir")

    def move_aside(self) -> Op:
        return self.op("move_aside")

    def put_back(self) -> Op:
        return self.op("put_back")

    def outcomes(self, state: str, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "mkdir":
                return (Outcome("live", True),) if state == "" else (Outcome(state, False),)
            case "stat":
                return (Outcome(state, state),)
            case "rmdir":
                return (Outcome("", None),)
            case "move_aside":
                return (Outcome("", state),)
            case "put_back":
                return (Outcome("live", None),)
        raise self.unknown_verb(op)


class Room(SharedObject):
    def enter(self) -> Op:
        return self.op("enter")

    def leave(self) -> Op:
        return self.op("leave")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "enter":
                return (Outcome(state + 1, takes="in"),)
            case "leave":
                return (Outcome(state - 1, drops="in"),)
        raise self.unknown_verb(op)

    def on_death(self, state: int, token) -> int:
        return state - 1


path = LockDir("lock.d", "old")
room = Room("room", 0)


def break_it(how: str) -> Program[None]:
    if (yield path.stat()) != "old":
        return
    if how == "rmdir":
        yield path.rmdir()
        return
    moved = yield path.move_aside()
    if moved == "live" and how == "move, put back":
        yield path.put_back()


def job(how: str, attempts: int) -> Program[str]:
    for _ in range(attempts):
        if (yield path.mkdir()):
            yield room.enter()
            yield delay("work")
            yield room.leave()
            yield path.rmdir()
            return "done"
        yield from section("break", break_it(how))
    return "timeout"


def build(
    jobs: Copies = 2,
    how: Literal["rmdir", "move", "move, put back"] = "rmdir",
    attempts: int = 2,
) -> System:
    return System(
        objects=[path, room],
        processes=[Process("job", job, how, attempts, copies=jobs)],
        properties=[
            always("one at a time", lambda s: s[room] <= 1, reads=[room]),
            at_end("somebody worked", lambda r: not r or any(x == "done" for x in r.values())),
        ],
        sections=["break"],
        locks=[LockScope("breaking")],
    )
