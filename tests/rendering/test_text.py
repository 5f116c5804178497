"""The text listing of a trace: who did what in columns, and what changed by its fields."""

from dstamp_sim import Process, Register, System, replay
from dstamp_sim.rendering.text import story


def test_steps_of_processes_without_sections_are_lined_up():
    service = Register("service", 0)

    def look():
        return (yield service.read())

    system = System(objects=[service], processes=[Process("scale-down", look), Process("job", look)])
    assert story(replay(system, "scale-down job")) == [
        "1  scale-down    service.read() -> 0  | scale-down ends: 0",
        "2  job           service.read() -> 0  | job ends: 0",
    ]
