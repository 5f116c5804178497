"""What a model's file names, and how its factory is written: wrong types are one sentence, no traceback."""

import pytest

from dstamp_sim import ModelError, UsageError
from dstamp_sim.inputs.model_file import load_model, read_settings

HEAD = """from dstamp_sim import Process, Register, System
r = Register("r", 0)
def p():
    return (yield r.read())
"""
BUILD = "def build() -> System: return System(objects=[r], processes=[Process('p', p)])\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("PLACEMENTS = ['x']", "PLACEMENTS is ['x'], but it must be a dict from names to Placements"),
        ("PLACEMENTS = {'x': None}", "PLACEMENTS['x'] is None, but it must be a Placement"),
        ("MECHANISMS = 5", "MECHANISMS is 5, but it must be a dict from names to Mechanisms"),
        ("ASSUMPTIONS = ['all is well']", "it must be a list of pairs of texts"),
        ("ASSUMPTIONS = 5", "it must be a list of pairs of texts"),
    ],
)
def test_a_name_of_another_type_is_refused(tmp_path, line, said):
    model = tmp_path / "model.py"
    model.write_text(HEAD + line + "\n" + BUILD)
    with pytest.raises(ModelError) as refused:
        load_model(str(model))
    assert str(refused.value).startswith(str(model)) and said in str(refused.value)


def test_an_async_factory_is_refused_with_its_line(tmp_path):
    model = tmp_path / "model.py"
    model.write_text(HEAD + "async " + BUILD)
    with pytest.raises(ModelError, match=r"model.py:5: write the factory with `def`, not `async def`"):
        load_model(str(model)).build({})


def test_an_annotation_that_is_not_there_is_refused_with_the_line(tmp_path):
    model = tmp_path / "model.py"
    model.write_text(HEAD + BUILD.replace("build()", "build(n: 'Number' = 1)"))
    with pytest.raises(ModelError, match=r"model.py:5: an annotation of the factory: NameError"):
        read_settings(load_model(str(model)).factory, ["n=3"])
    model = tmp_path / "other.py"
    model.write_text(HEAD + BUILD.replace("build()", "build(m: Register = None)"))
    with pytest.raises(UsageError, match=r"which --set cannot write"):
        read_settings(load_model(str(model)).factory, ["m=3"])


def test_a_file_beside_the_model_is_told_how_it_can_be_imported(tmp_path):
    (tmp_path / "parts.py").write_text("x = 1\n")
    model = tmp_path / "model.py"
    model.write_text("import parts\n" + HEAD + BUILD)
    with pytest.raises(ModelError, match=r"make a folder of both, .* write `from . import parts`"):
        load_model(str(model))
    (tmp_path / "__init__.py").write_text("import parts\n" + HEAD + BUILD)
    with pytest.raises(ModelError, match=r"inside of a model's folder, write `from . import parts`"):
        load_model(str(tmp_path))
    other = tmp_path / "other.py"
    other.write_text("import nowhere_to_be_found\n" + HEAD + BUILD)
    with pytest.raises(ModelError, match=r"No module named 'nowhere_to_be_found'\"\)$"):
        load_model(str(other))


def test_a_model_changed_twice_within_a_second_is_the_one_that_its_file_says(tmp_path, monkeypatch):
    """Bytecode that is kept is known by a file's size and second; and no folder of a user's is littered with it."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    file = tmp_path / "m.py"
    for value in (1, 2):
        file.write_text(f"from dstamp_sim import System\ndef build() -> System:\n    return {value}\n")
        with pytest.raises(ModelError, match=f"returned {value}, not a System"):
            load_model(str(file)).build({})
    assert [path.name for path in tmp_path.iterdir()] == ["m.py"]
