"""Progress: a line now and then where standard error is no terminal."""

from dstamp_sim.cli import progress


def test_in_a_pipe_a_line_now_and_then_says_how_far_a_long_command_has_come(capsys, monkeypatch):
    clock = iter([0.0, 0.0, *(float(second) for second in range(1, 200))])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    with progress.progress() as tell:
        for states in range(30):
            tell(states, 2 * states, 3)
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 4
    assert lines[0].startswith("so far: ") and "transitions, depth 3" in lines[0]


def test_a_short_command_says_nothing_of_its_progress(capsys):
    with progress.progress() as tell, progress.bar("draws") as done:
        tell(1, 2, 3)
        done(1, 2)
    assert capsys.readouterr().err == ""
