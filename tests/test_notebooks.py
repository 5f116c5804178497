"""Every notebook runs from its first cell to its last, in a folder of its own."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

pytestmark = [
    # The kernel is another process: what its libraries warn of while it is started is not ours to mend.
    pytest.mark.filterwarnings("default"),
]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_first_cell_to_its_last(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    content = nbformat.read(notebook, as_version=4)
    content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    patience = {"timeout": PATIENCE_S, "startup_timeout": PATIENCE_S}
    kept = [said(cell) for cell in content.cells if cell.cell_type == "code"]
    NotebookClient(content, **patience, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert any(kept), "kept without its outputs: execute it and save it"
    assert [said(cell) for cell in content.cells if cell.cell_type == "code"] == kept


def said(cell):
    """What a cell prints and returns as text; progress and pictures are not compared."""
    streams = "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout")
    values = [output["data"]["text/plain"] for output in cell.outputs if "text/plain" in output.get("data", {})]
    return streams + "\n".join(value for value in values if " at 0x" not in value and "<Figure" not in value)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin_and_names_no_machine(notebook):
    text = notebook.read_text(encoding="utf-8")
    code = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    assert sum(len(source.splitlines()) for source in code) < 120
    assert not any(place in text for place in ("/home/", "/root/", "/work/", "/tmp/", sys.prefix))
