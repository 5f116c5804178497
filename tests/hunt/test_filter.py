"""The filter, performed by an interpreter of BPF, so that the one of another processor is tested here too."""

import re
import struct
from pathlib import Path

import pytest

from dstamp_sim.hunt.calls import FORMS, PLAIN, PROCESSORS
from dstamp_sim.hunt.trap import ALLOW, KILL, NO_SUCH_CALL, NOTIFY, bpf

HEADERS = {"x86_64": "x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}


def judged(program, arch, number, *args):
    """What a filter says of a call: an interpreter of the few instructions that it has."""
    data = struct.pack("=iIQ6Q", number, arch, 0, *[*args, *[0] * 6][:6])
    code = [struct.unpack("HBBI", program[n : n + 8]) for n in range(0, len(program), 8)]
    at = word = 0
    while True:
        op, yes, no, value = code[at]
        at += 1
        if op == 0x20:
            word = struct.unpack("=I", data[value : value + 4])[0]
        elif op == 0x06:
            return value
        else:
            holds = {0x15: word == value, 0x45: bool(word & value), 0x35: word >= value}[op]
            at += yes if holds else no


@pytest.fixture(params=sorted(PROCESSORS))
def machine(request):
    return PROCESSORS[request.param]


def test_every_call_of_the_table_is_reported_and_others_go_through(machine):
    program = bpf(machine)
    some = set(machine.numbers.values())
    special = {machine.numbers[name] for name in ("mmap", "newfstatat", "statx", "fcntl")}
    told = {number: judged(program, machine.arch, number) for number in range(500) if number not in special}
    assert {number for number, what in told.items() if what == NOTIFY} == some - special
    assert {what for number, what in told.items() if number not in some} == {ALLOW, NO_SUCH_CALL}


def test_io_uring_does_not_exist_and_calls_of_another_processor_kill(machine):
    program = bpf(machine)
    assert judged(program, machine.arch, 425) == NO_SUCH_CALL
    assert judged(program, 0x40000003, 3) == KILL
    assert judged(program, machine.arch, 0x40000000) == KILL


def test_of_fcntl_only_locks_are_reported_and_of_mmap_only_files(machine):
    program, numbers = bpf(machine), machine.numbers
    assert [judged(program, machine.arch, numbers["fcntl"], 3, c) for c in (1, 6, 7, 37, 38)] == [ALLOW, *[NOTIFY] * 4]
    assert judged(program, machine.arch, numbers["mmap"], 0, 0, 0, 0x22) == ALLOW
    assert judged(program, machine.arch, numbers["mmap"], 0, 0, 0, 0x02) == NOTIFY


def test_a_stat_of_a_descriptor_is_not_reported(machine):
    program, numbers = bpf(machine), machine.numbers
    assert judged(program, machine.arch, numbers["newfstatat"], 3, 0, 0, 0x1000) == ALLOW
    assert judged(program, machine.arch, numbers["statx"], 3, 0, 0x1000) == ALLOW
    assert judged(program, machine.arch, numbers["newfstatat"], 3, 0, 0, 0) == NOTIFY


def test_every_number_has_a_form_and_every_plain_name_is_of_a_call(machine):
    assert set(machine.numbers) <= set(FORMS)
    assert set(PLAIN) <= set(FORMS)
    assert len(set(machine.numbers.values())) == len(machine.numbers)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("kind", sorted(PROCESSORS))
def test_the_numbers_are_those_of_the_kernel_headers(kind):
    header = Path("/usr/include") / HEADERS[kind]
    if not header.exists():
        pytest.skip(f"no {header}: a machine of another kind")
    text = header.read_text(encoding="utf-8")
    real = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", text)}
    missing = {"fchmodat2"} - real.keys()  # newer than some headers
    told = {name: number for name, number in PROCESSORS[kind].numbers.items() if name not in missing}
    assert {name: real.get(name, real.get({"newfstatat": "fstatat"}.get(name, name))) for name in told} == told
