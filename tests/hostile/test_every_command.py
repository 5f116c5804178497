"""Every command in every odd surrounding: the verdict or a sentence, the right code, and nothing half or left.

The table of commands is that of the kills, where every command is. Of the pairs of a command and a surrounding each
day takes others: a few of them always, and all of them within two weeks of --slow.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from numba.core.caching import _CacheLocator

from dstamp_sim import cli
from tests.hostile.killed import COMMANDS, whole
from tests.hostile.valid import ROOT
from tests.hunt.conftest import can_hold, refusal  # noqa: F401 - fixtures
from tests.todays import PARTS, todays

COMMAND = [sys.executable, "-c", "from dstamp_command import main; main()"]
MODES_HOLD = f"""
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, {COMMAND!r} + sys.argv[1:])
"""
"""Runs a command as one for whom the modes of files hold, root too: without CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH."""

SIX = 6
NOWHERE = "/dev/null"
VARIABLES = {
    "no home": {"HOME": NOWHERE, "XDG_CACHE_HOME": NOWHERE, "XDG_CONFIG_HOME": NOWHERE, "MPLCONFIGDIR": None},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    "a dumb terminal of 20 columns": {"TERM": "dumb", "COLUMNS": "20"},
    "backend": {"MPLBACKEND": "nonsense"},
}
FILES_ARE_ALL = {"new", "export", "export model"}
"""Commands that say nothing but which files they wrote."""
WRITES_NOTHING = {"describe", "mutate", "real"}


@dataclass
class Place:
    """A command with all that it needs in a folder, and a temporary folder beside it."""

    name: str
    base: Path

    def __post_init__(self):
        self.command = COMMANDS[self.name]
        self.folder, self.temp = self.base / "here", self.base / "temp"
        self.folder.mkdir()
        self.temp.mkdir()
        self.command.lay_out(self.folder, 0)
        if self.command.before:
            done = self.typed(words=self.command.before)
            assert done.returncode in (0, 1), done.stderr
        self.before = self.content()

    def content(self):
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }

    def begun(self, odd=(), *, words=(), command=COMMAND):
        changed = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.temp), **dict(odd)}
        environment = {name: value for name, value in changed.items() if value is not None}
        words = words or self.command.words
        return subprocess.Popen([*command, *words], cwd=self.folder, env=environment, stdout=-1, stderr=-1, text=True)

    def typed(self, odd=(), **how):
        with self.begun(odd, **how) as running:
            out, err = running.communicate()
        return subprocess.CompletedProcess(running.args, running.returncode, out, err)

    def assert_nothing_odd(self, done):
        """No traceback, no fault, nothing in the temporary folder, and every file as it was, or whole."""
        assert not re.search("^(mkdir|Matplotlib|Traceback)|fault of dstamp", done.stderr, re.MULTILINE), done.stderr
        assert list(self.temp.iterdir()) == [], done.stderr
        for name, found in self.content().items():
            assert not name.endswith(".part"), name
            if self.before.get(name) != found and name.endswith((".json", ".png", ".svg", ".html")):
                assert whole(name, found), name

    def assert_as_ever(self, done):
        """The command did what it does, without a word about where it was."""
        self.assert_nothing_odd(done)
        assert done.returncode in self.command.codes, (done.returncode, done.stderr)
        assert done.stdout
        assert not re.search("^dstamp:", done.stderr, re.MULTILINE), done.stderr


def variables(name):
    return lambda place: place.assert_as_ever(place.typed(VARIABLES[name]))


def a_disk_with(kilobytes):
    """On a file system of its own, of which so much is left as the command begins."""

    def tried(place):
        (place.base / "some").write_text("of the disk is used")
        blocks = os.statvfs(place.base)
        used = (blocks.f_blocks - blocks.f_bfree) * blocks.f_frsize // 1024
        subprocess.run(["mount", "-o", f"remount,size={used + kilobytes}k", place.base], check=True)
        done = place.typed()
        place.assert_nothing_odd(done)
        told = "No space left on device" in done.stderr
        assert done.returncode in ((2, 74) if told else place.command.codes), (
            done.returncode,
            done.stdout,
            done.stderr,
        )
        assert done.stdout or done.returncode == 2 or place.name in FILES_ARE_ALL
        assert told or kilobytes or place.name in WRITES_NOTHING, (done.returncode, done.stderr)

    return tried


def a_read_only_folder(place):
    modes = {path: path.stat().st_mode for path in (place.folder, *place.folder.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        done = place.typed(command=[sys.executable, "-c", MODES_HOLD])
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    place.assert_nothing_odd(done)
    if place.name in WRITES_NOTHING:
        place.assert_as_ever(done)
        return
    assert (done.returncode, done.stdout) == (2, ""), (done.returncode, done.stdout, done.stderr)
    assert "cannot be written: " in done.stderr, done.stderr
    assert place.content() == place.before


def _cache(place, content=None):
    """A compile cache, and its variable, with `content` in what is kept of the hash, or nothing there at all."""
    cache = place.base / "cache"
    cache.mkdir()
    for original in (ROOT / "dstamp_sim").rglob("*.kept") if content is not None else ():
        inside = cache / _CacheLocator.get_suitable_cache_subpath(str(original.parents[1] / "any.py"))
        inside.mkdir(parents=True, exist_ok=True)
        (inside / original.name).write_bytes(content if "_hash" in original.name else original.read_bytes())
    return cache, {"NUMBA_CACHE_DIR": str(cache)}


def a_damaged_compile_cache(place):
    _, odd = _cache(place, (b"", b"nonsense", b"\x80\x04" * 9_000)[len(place.name) % 3])
    place.assert_as_ever(place.typed(odd))


def a_read_only_compile_cache(place):
    cache, odd = _cache(place)
    cache.chmod(0o555)
    done = place.typed(odd, command=[sys.executable, "-c", MODES_HOLD])
    place.assert_as_ever(done)
    assert list(cache.iterdir()) == []


def six_at_once(place):
    running = [place.begun() for _ in range(SIX)]
    ended = [(*one.communicate(), one.returncode) for one in running]
    for out, err, code in ended:
        done = subprocess.CompletedProcess((), code, out, err)
        if not place.command.over and code == 2:
            place.assert_nothing_odd(done)
            assert "is there already: choose another name" in err
        else:
            place.assert_as_ever(done)
    assert place.command.over or sum(code == 2 for _, _, code in ended) < SIX


SURROUNDINGS = {
    **{name: variables(name) for name in VARIABLES},
    "a full disk": a_disk_with(0),
    "a disk of 64 KB": a_disk_with(64),
    "a read-only folder": a_read_only_folder,
    "a damaged compile cache": a_damaged_compile_cache,
    "a read-only compile cache": a_read_only_compile_cache,
    "six at once": six_at_once,
}
PAIRS = [(surrounding, name) for name in COMMANDS for surrounding in SURROUNDINGS]
TODAYS = [PAIRS[number] for number in todays(range(len(PAIRS)), parts=2 * PARTS)]
ALWAYS = 4


def test_every_command_is_in_the_table():
    tried = {one.words[0] for one in COMMANDS.values()}
    assert tried == {command.__name__ for _, command, _ in cli.COMMANDS}


@pytest.mark.parametrize(
    ("surrounding", "name"),
    [*TODAYS[:ALWAYS], *(pytest.param(*pair, marks=pytest.mark.slow) for pair in TODAYS[ALWAYS:])],
)
def test_every_command_in_odd_surroundings_does_what_it_does_or_says_why_not(surrounding, name, tmp_path, request):
    if "hunt" in name:
        request.getfixturevalue("can_hold")
    if "disk" not in surrounding:
        SURROUNDINGS[surrounding](Place(name, tmp_path))
        return
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        SURROUNDINGS[surrounding](Place(name, tmp_path))
    finally:
        subprocess.run(["umount", tmp_path], check=True)
