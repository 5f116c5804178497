"""Imports point one way, and models see public names only: read from the source, nothing is imported."""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dstamp_sim"

# Which parts of the package (folders, or modules beside them) a part may import, besides itself.
MIDDLE = {"inputs", "engines", "analyses", "rendering"}
WINGS = {"incident", "lock_review", "margin", "matrix", "mutation", "conformance", "export", "hunt"}
ALLOWED = {
    "core": set(),
    "disk": {"core"},
    "objects": {"core"},
    **{part: {"core", "disk"} for part in MIDDLE},
    "pipeline": {"core", "disk", *MIDDLE},
    **{wing: {"core", "disk", "objects", "pipeline", *MIDDLE} for wing in WINGS},
    "cli": {"disk", "pipeline", *WINGS},
    "__init__": {"core", "objects", "engines", "analyses", "inputs", "lock_review", "incident"},
    "random_systems": {"core", "objects"},
    "testing": {"core", "disk", "pipeline", "random_systems", "hunt", *MIDDLE},
    "pytest_plugin": set(),  # it reaches `testing` only where a test has imported it
}

# What the command line needs before it loads the pipeline: modules, or single names of a module.
CLI_MAY_ALSO = {
    "dstamp_sim.__version__",
    "dstamp_sim.core.contained",
    "dstamp_sim.core.crashes",
    "dstamp_sim.core.errors",
    "dstamp_sim.core.escaping",
    "dstamp_sim.core.numbers",
    "dstamp_sim.core.system.Also",
    "dstamp_sim.core.system.NOTHING_MORE",
    "dstamp_sim.core.verdict",
    "dstamp_sim.engines.explore.settings.DEFAULT_LIMIT",
    "dstamp_sim.engines.explore.settings.DEFAULT_MEMORY_MB",
    "dstamp_sim.engines.explore.settings.HISTORY_LIMIT",
    "dstamp_sim.engines.explore.settings.ExploreProgress",
    "dstamp_sim.engines.explore.settings.Reductions",
    "dstamp_sim.engines.parallel.threads.cores",
    "dstamp_sim.engines.sampling.strategies.STRATEGIES",
    "dstamp_sim.engines.zones.within.MOST_ZONES",
    "dstamp_sim.engines.zones.within.Occurrence",
    "dstamp_sim.rendering.as_console",
    "dstamp_sim.rendering.text",
    "dstamp_sim.analyses.explain.Explanation",
}

OUTSIDE = {"models", "experiments", "tests"}


def imported(source: str, package: str = "") -> Iterator[str]:
    """Every name that `source` imports, with dots; relative ones are resolved against `package`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str:
    """The part of the package that a dotted name lies in; `__init__` for the package's own names."""
    inside = name.split(".")[1:]
    known = {entry.stem for entry in PACKAGE.iterdir() if entry.is_dir() or entry.suffix == ".py"}
    return inside[0] if inside and inside[0] in known else "__init__"


def wrong_imports(part: str, source: str, package: str = "dstamp_sim") -> list[str]:
    """What a module of `part` imports and may not."""
    return [name for name in imported(source, package) if not _may(part, name)]


def _may(part: str, name: str) -> bool:
    top = name.partition(".")[0]
    if top == "dstamp_sim":
        excepted = part == "cli" and (name in CLI_MAY_ALSO or name.rpartition(".")[0] in CLI_MAY_ALSO)
        return excepted or part_of(name) in {part, *ALLOWED[part]}
    return top not in OUTSIDE and (part != "core" or top in sys.stdlib_module_names)


def module_files() -> list[Path]:
    return sorted(file for file in PACKAGE.rglob("*.py") if "_bundled" not in file.parts)


def _id(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_every_part_of_the_package_has_its_rule():
    parts = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in module_files()}
    assert parts <= set(ALLOWED), f"say in ALLOWED what {parts - set(ALLOWED)} may import"


def test_no_file_name_of_the_package_means_two_things():
    """A command has the name of the wing's module that it runs; every other name occurs once."""
    inside = [file.relative_to(PACKAGE) for file in module_files() if file.name != "__init__.py"]
    counts = Counter(file.name for file in inside if file.parts[0] != "cli")
    assert [name for name, count in counts.items() if count > 1] == []


def types_of(source: str) -> list[str]:
    """The names of the classes of a module, nested ones too, and of the aliases of types beside them."""
    tree = ast.parse(source)
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assigned = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    assigned += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    named = [target.id for target in assigned if isinstance(target, ast.Name)]
    return classes + [name for name in named if re.fullmatch(r"_?[A-Z]\w*[a-z]\w*", name)]


def functions_of(source: str) -> list[str]:
    """The names of the public functions of a module."""
    body = ast.parse(source).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def met_twice(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def test_no_name_of_a_class_means_two_things():
    assert met_twice([name for file in module_files() for name in types_of(file.read_text(encoding="utf-8"))]) == []


def test_no_public_function_has_the_name_of_another():
    """A command has the name of the verb that it runs, and the strategies have the same three functions each."""
    files = [file for file in module_files() if not file.relative_to(PACKAGE).is_relative_to("engines/sampling")]
    files = [file for file in files if file.relative_to(PACKAGE).parts[0] != "cli"]
    assert met_twice([name for file in files for name in functions_of(file.read_text(encoding="utf-8"))]) == []


def constants_of(source: str) -> list[str]:
    """The names of the constants of a module, private ones too, each once; a TypeVar is none."""
    tree = ast.parse(source)
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    names = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return sorted(name for name in names if re.fullmatch(r"_?[A-Z][A-Z0-9_]+", name))


def test_no_constant_has_the_name_of_another():
    """A limit says what it limits, so that its name means the same in every module; compiled loops have their codes."""
    sources = [file.read_text(encoding="utf-8") for file in module_files()]
    plain = [source for source in sources if "@compiled" not in source]
    assert len(plain) > 250
    assert met_twice([name for source in plain for name in constants_of(source)]) == []


def test_a_constant_of_two_modules_is_noticed():
    modules = ("_LONGEST, A = 60, 1\nT = TypeVar('T')", "_LONGEST: int = 6\nclass B: ...", "T = TypeVar('T')")
    assert met_twice([name for source in modules for name in constants_of(source)]) == ["_LONGEST"]


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("class Order: ...\nclass A:\n    class Order: ...", ["Order"]),
        ("Order = tuple[int, int]\nclass Order: ...", ["Order"]),
        ("Order: TypeAlias = int\nOrder = int", ["Order"]),
        ("ORDER = 1\nORDER = 2", []),
    ],
)
def test_a_name_of_two_types_is_noticed(source, known):
    assert met_twice(types_of(source)) == known


LONGEST = 60
"""Lines of a function; compiled loops may have more, for they cannot call what is not compiled into them."""


def long_functions(source: str) -> list[str]:
    """The functions of a module that have too many lines."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST
        and not any(ast.unparse(decorator).startswith("compiled") for decorator in node.decorator_list)
    ]


def test_no_function_is_longer_than_sixty_lines():
    assert {_id(file): long for file in module_files() if (long := long_functions(file.read_text("utf-8")))} == {}


def test_a_function_that_is_too_long_is_noticed():
    body = "    pass\n" * LONGEST
    assert long_functions(f"def f():\n{body}class A:\n  def g(self):\n    pass\n@compiled\ndef h():\n{body}") == ["f"]


@pytest.mark.parametrize("file", module_files(), ids=_id)
def test_a_module_imports_only_what_its_part_may(file):
    inside = file.relative_to(PACKAGE)
    package = ".".join(["dstamp_sim", *inside.parts[:-1]])
    assert wrong_imports(inside.parts[0].removesuffix(".py"), file.read_text(encoding="utf-8"), package) == []


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("analyses", "from dstamp_sim.engines.replay import replay"),
        ("rendering", "def f():\n    import dstamp_sim.inputs.witness_file"),
        ("engines", "from dstamp_sim import rendering"),
        ("engines", "from ..objects import locks"),
        ("objects", "from dstamp_sim.engines import explorer"),
        ("core", "import numpy as np"),
        ("core", "from dstamp_sim import Register"),
        ("pipeline", "from dstamp_sim.cli import app"),
        ("pipeline", "from dstamp_sim.incident.replay_scenario import INCIDENT"),
        ("lock_review", "from dstamp_sim.incident import evidence"),
        ("cli", "from dstamp_sim.engines.timed.timed import run_timed"),
        ("inputs", "from models.cc_ci import PLACEMENTS"),
        ("inputs", "import models"),
    ],
)
def test_an_import_against_the_direction_is_noticed(part, source):
    package = "dstamp_sim" if part in ("pipeline", "cli") else f"dstamp_sim.{part}"
    assert len(wrong_imports(part, source, package)) == 1


INCIDENT_WORDS = re.compile(r"cc_ci|abra|discourse|hc1|chaos|app.domain|redeploy|PreviousSpec", re.IGNORECASE)
"""Words of one model. The swarm object and its real counterpart have some of them as their own vocabulary."""

SWARM = {"objects/swarm_service.py", "conformance/real_swarm.py"}


def incident_words(text: str) -> list[str]:
    return [line for line in text.splitlines() if INCIDENT_WORDS.search(line)]


def test_the_package_knows_no_model():
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix in (".py", ".html", ".js", ".css")]
    inside = {file.relative_to(PACKAGE).as_posix(): file for file in files if "_bundled" not in file.parts}
    texts = {name: file.read_text(encoding="utf-8") for name, file in inside.items() if name not in SWARM}
    assert len(texts) > 150
    assert {name: lines for name, text in texts.items() if (lines := incident_words(text))} == {}


def test_a_word_of_the_incident_is_noticed():
    assert incident_words("a = 1\nmodel = 'cc_ci'\n# the App-domain flock") == [
        "model = 'cc_ci'",
        "# the App-domain flock",
    ]


def public_names() -> set[str]:
    """The names that `dstamp_sim/__init__.py` imports: its public API."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def assigned_in(source: str) -> set[str]:
    """What a module defines at its top: classes, functions, constants and aliases."""
    names = set[str]()
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return names


def everything_public() -> list[str]:
    """The names in `__all__` of the package."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (names,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node))
    return list(ast.literal_eval(names))


def test_no_public_name_means_two_things():
    """A command, and the module that tests import, may have the name of the verb that they run."""
    files = [file for file in module_files() if file.relative_to(PACKAGE).parts[0] not in ("cli", "__init__.py")]
    counts = Counter(name for file in files for name in assigned_in(file.read_text(encoding="utf-8")))
    assert len(everything_public()) > 80
    assert [name for name in everything_public() if counts[name] > 1] == []


def not_for_models(source: str, package: str) -> list[str]:
    """What a model imports that is neither standard library, nor a public name, nor a part of the model itself."""
    public = {f"dstamp_sim.{name}" for name in public_names()}
    own = f"{package}."
    return [
        name
        for name in imported(source, package)
        if name not in public and not name.startswith(own) and name.partition(".")[0] not in sys.stdlib_module_names
    ]


MODELS = [*sorted((ROOT / "models").rglob("*.py")), *(ROOT / "experiments").glob("*/*.py")]


@pytest.mark.parametrize("file", MODELS, ids=_id)
def test_a_model_imports_only_public_names_and_its_own_parts(file):
    package = ".".join(file.relative_to(ROOT).parts[:-1])
    assert not_for_models(file.read_text(encoding="utf-8"), package) == []


@pytest.mark.parametrize(
    "source",
    [
        "from dstamp_sim.core.semantics import Semantics",
        "from dstamp_sim import core",
        "from dstamp_sim import *",
        "import dstamp_sim",
        "import numpy",
        "from ..classic import bank",
    ],
)
def test_a_model_that_reaches_behind_the_public_names_is_noticed(source):
    assert len(not_for_models(source, "models.cc_ci")) == 1


def test_the_page_that_says_where_to_add_what_names_folders_and_files_that_exist():
    page = (PACKAGE.parent / "docs/how-it-works.md").read_text(encoding="utf-8")
    rows = [row for row in page.partition("## Where to add what")[2].partition("\n## ")[0].splitlines() if "`" in row]
    named = {name for row in rows for name in re.findall(r"`([\w/.]+)`", row) if "/" in name}
    assert len(rows) == 6 and len(named) > 8
    assert [name for name in sorted(named) if not any((at / name).exists() for at in (PACKAGE, PACKAGE.parent))] == []
