"""Every result leaves by one door: nothing in the package writes, moves or removes a file but `disk/writing.py`."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "dstamp_sim"

DOORS = {
    "disk/writing.py": "the door",
    "engines/tables/compiled.py": "compiled code, behind its digest, in numba's cache",
    "pipeline/keeping.py": "removes a checkpoint of its own that nobody asked for",
    "hunt/nursery.py": "inside of a hunt's own mounts",
    "hunt/tree.py": "inside of a hunt's own mounts",
    "hunt/trap.py": "/proc of a hunt's processes",
    "conformance/parts.py": "the keeper's scratch folder",
    "conformance/timings.py": "the keeper's scratch folder",
    "conformance/keeper.py": "what an engine is given, in memory",
    "conformance/real_flock.py": "the keeper's scratch folder",
    "conformance/real_git.py": "the keeper's scratch folder",
    "conformance/real_swarm.py": "a private engine's own mount",
    "cli/ending.py": "/dev/null",
    "pipeline/cluster_worker.py": "inside of the folder of a cluster's worker",
    "pipeline/luggage.py": "the same",
}
"""By module, what else it writes to."""

WRITES = re.compile(
    r"(open|fdopen|write_text|write_bytes|touch|mkdir|makedirs|rename|replace|unlink|rmdir|rmtree|remove|symlink|link"
    r"|symlink_to|hardlink_to|copy2?|copy(file|tree|mode|stat|fileobj)|move|mkstemp|mkdtemp|mkfifo|mknod|truncate|\w*Temporary\w*|savefig|chmod)"
)
OS_OR_PATH = {"os", "shutil", "tempfile", "Path", "io"}


def writes(source):
    """The lines of a source that open a file to write, or change a folder."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called, owner = node.func, ""
        if isinstance(called, ast.Attribute):
            owner, name = ast.unparse(called.value), called.attr
        else:
            name = getattr(called, "id", "")
        if WRITES.fullmatch(name) and _changes(name, owner, node):
            yield node.lineno, ast.unparse(node)


def _changes(name, owner, node):
    given = [*node.args, *(word.value for word in node.keywords)]
    if name in ("open", "fdopen"):
        said = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        flags = [one for one in given if "os.O_" in ast.unparse(one)]
        return any(re.fullmatch(r"[rwaxbt+]+", mode) and set(mode) & set("wax+") for mode in said) or any(
            re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", ast.unparse(one)) for one in flags
        )
    if name in (
        "replace",
        "copy",
        "remove",
        "link",
        "move",
        "truncate",
    ):  # texts, lists and dataclasses have these, too
        return owner in OS_OR_PATH or (name == "replace" and len(given) == 1 and not node.keywords)
    if name == "savefig":
        return ast.unparse(node.args[0]) != "picture"  # bytes in memory
    return True


def test_nothing_else_in_the_package_writes():
    found = {
        (module, line, call)
        for path in PACKAGE.rglob("*.py")
        for line, call in writes(path.read_text(encoding="utf-8"))
        if (module := path.relative_to(PACKAGE).as_posix()) not in DOORS
    }
    assert found == set()


def test_each_other_door_is_one():
    assert [name for name in DOORS if not [*writes((PACKAGE / name).read_text(encoding="utf-8"))]] == []


@pytest.mark.parametrize(
    "line",
    [
        "open('f', 'w')",
        "path.open('ab')",
        "path.open(mode='x')",
        "os.open(p, os.O_RDWR | os.O_CREAT)",
        "path.write_text('x')",
        "path.replace(other)",
        "shutil.copy(a, b)",
        "os.replace(a, b)",
        "TemporaryDirectory()",
        "tempfile.mkdtemp()",
        "path.unlink()",
        "figure.savefig(path)",
        "path.mkdir()",
    ],
)
def test_a_write_is_seen(line):
    assert [call for _, call in writes(line)] == [line]


@pytest.mark.parametrize(
    "line", ["open('f')", "path.open('rb')", "os.open(p, os.O_RDONLY)", "text.replace('a', 'b')", "replace(x, a=1)"]
)
def test_what_writes_nothing_is_not_one(line):
    assert [*writes(line)] == []
