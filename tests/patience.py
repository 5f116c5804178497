"""How long tests wait for what must happen: a busy machine takes its time, and no test that passes waits in vain."""

PATIENCE_S = 900.0
"""After this many seconds what has not happened is taken never to happen."""
