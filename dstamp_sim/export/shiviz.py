r"""ShiViz's log: two lines an event, the host with its vector clock and then what happened.

Its parser's default expression, `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`, reads it. Hosts are therefore
percent-encoded where they hold a blank.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from dstamp_sim.core.escaping import on_one_line
from dstamp_sim.core.trace import Trace
from dstamp_sim.rendering.timeline.annotations import Annotations


def shiviz(trace: Trace, annotations: Annotations) -> str:
    """The log; an event's clock has the hosts that it knows of, its own count going up by one."""
    hosts = [_host(name) for name in trace.processes]
    lines = []
    for step, clock in zip(trace.steps, annotations.clocks, strict=True):
        known = {host: count for host, count in zip(hosts, clock, strict=True) if count}
        where = f"{step.section}: " if step.section else ""
        lines.append(f"{_host(step.process)} {json.dumps(known)}")
        lines.append(on_one_line(f"{where}{step.does()}"))
    return "\n".join(lines) + "\n"


def _host(name: str) -> str:
    return quote(name, safe="#@-_.()[],;=+<>/|&$?~!*:'^`", errors="surrogatepass")
