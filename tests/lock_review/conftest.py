"""What the tests of reviews share."""

import pytest


@pytest.fixture
def alone(monkeypatch):
    """Placements are judged in this process: spawning two costs more than a small model takes."""
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
