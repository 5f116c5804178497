"""Real programs that race, each beside a twin that does not."""

import sys
from dataclasses import dataclass
from pathlib import Path

from dstamp_sim.hunt.job import Job

PYTHON = f"{Path(sys.executable).resolve()} -I -S"
"""The interpreter itself, not that of a virtual environment: a trial does not see a checkout that lies in /tmp."""


@dataclass(frozen=True)
class Case:
    """A start state, racing runs, a check, the runs of the twin, and what a story of it says. `needs`: programs."""

    name: str
    setup: str
    runs: dict[str, str]
    twin: dict[str, str]
    check: str | None
    says: str
    needs: tuple[str, ...] = ()
    any_exit: bool = False
    crashes: int = 0
    preemptions: int = 1
    slow: bool = False

    def racy(self) -> Job:
        return Job(self.runs, self.setup, self.check, any_exit=self.any_exit)

    def corrected(self) -> Job:
        return Job(self.twin, self.setup, self.check, any_exit=self.any_exit)


def both(script: str) -> dict[str, str]:
    return {"a": script, "b": script}


GIT = """git init -q -b base . && git config gc.auto 0 && git config maintenance.auto false && rm -rf .git/hooks
echo base > file; git add file; git commit -qm base; git checkout -qb head
echo head > file; git commit -qam head; git checkout -q base"""
LOCKED = "exec 9>lock; flock 9; "
IN_GIT = "exec 9>.git/my; flock 9; "
ONE_INSIDE = "[ ! -e clashes ] || { echo 'two were inside at once'; exit 1; }"
INSIDE = "[ -e busy ] && echo clash >> clashes; touch busy; rm busy"

MKDIR = f"""while ! mkdir l 2>/dev/null; do
  pid=$(cat l/pid 2>/dev/null)
  if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then rm -rf l; else sleep 0.1; fi
done
echo $$ > l/pid; {INSIDE}; rm -rf l"""

PERL = "perl -i -pe '$_++; $_ .= qq(\\n)' f"
COUNT = "n=$(cat f); echo $((n+1)) > f"
IS_7 = '[ "$(cat f)" = 7 ] || { echo "f is $(cat f), not 7"; exit 1; }'
READS = '[ "$(cat seen)" = old ] || [ "$(cat seen)" = new ] || { echo "saw \'$(cat seen)\'"; exit 1; }'
READ = "cat conf > seen 2>/dev/null; true"
STAMPED = (
    '[ "$EXIT_a$EXIT_b" != 00 ] || [ "$(cat stamp)" = "$(git rev-parse head)" ] || '
    '{ echo "a stamped $(git name-rev --name-only $(cat stamp))"; exit 1; }'
)

SQL = (
    f"{PYTHON} -c \"import sqlite3; c = sqlite3.connect('d', isolation_level=None); c.execute('begin {{kind}}'); "
    "n, = c.execute('select n from t').fetchone(); c.execute('update t set n = ?', (n + 1,)); c.execute('commit')\""
)

CASES = [
    Case("counter", "echo 5 > f", both(COUNT), both(LOCKED + COUNT), IS_7, "f is 6, not 7"),
    Case(
        "flock -n, skipped", "echo 5 > f", both(f"exec 9>lock; flock -n 9 || exit 0; {COUNT}"), both(LOCKED + COUNT),
        IS_7, "f is 6, not 7", slow=True,
    ),
    Case(
        "pid file", "", both("[ -e lock ] && exit; echo $$ > lock; echo $RUN >> winners"),
        both("set -C; echo $$ 2>/dev/null > lock || exit 0; echo $RUN >> winners"),
        '[ $(wc -l < winners) = 1 ] || { echo "$(wc -l < winners) won"; exit 1; }', "2 won",
        slow=True,
    ),
    Case(
        "two locks", "touch p q", {"a": "flock p flock q true", "b": "flock q flock p true"},
        both("flock p flock q true"), None, "a and b wait for ever",
    ),
    Case(
        "symlink swapped", "mkdir v1 v2; echo old > v1/x; echo new > v2/x; ln -s v1 current",
        {"a": "rm current; ln -s v2 current", "b": "cat current/x > seen 2>/dev/null; true"},
        {"a": "ln -s v2 next; mv -T next current", "b": "cat current/x > seen 2>/dev/null; true"}, READS, "saw ''",
        slow=True,
    ),
    Case(
        "config in place", "echo old > conf; echo new > next", {"a": "cp next conf", "b": READ},
        {"a": "cp next conf.new && mv conf.new conf", "b": READ}, READS, "saw ''",
        slow=True,
    ),
    Case(
        "install", "echo old > conf; echo new > next", {"a": "install -m 644 next conf", "b": READ},
        {"a": "install -m 644 next conf.new && mv conf.new conf", "b": READ}, READS, "saw ''", slow=True,
    ),
    Case(
        "mv across file systems", "echo old > conf", {"a": "echo new > /run/next; mv /run/next conf", "b": READ},
        {"a": "echo new > next; mv next conf", "b": READ}, READS, "saw ''", slow=True,
    ),
    Case(
        "sed -i", "printf 'x\\ny\\n' > f", {"a": "sed -i s/x/X/ f", "b": "sed -i s/y/Y/ f"},
        {"a": LOCKED + "sed -i s/x/X/ f", "b": LOCKED + "sed -i s/y/Y/ f"},
        '[ "$(cat f | tr -d "\\n")" = XY ] || { echo "f is $(cat f | tr -d "\\n")"; exit 1; }', "f is", slow=True,
    ),
    Case(
        "log rotation", "echo 1 > log", {"a": "echo 2 >> log", "b": "cp log log.1; : > log"},
        {"a": "echo 2 >> log", "b": "mv log log.1"},
        "[ $(cat log log.1 2>/dev/null | wc -l) = 2 ] || { echo 'a line is lost'; exit 1; }", "a line is lost",
        slow=True,
    ),
    Case(
        "a name for a temporary file", "",
        both("f=t1; [ -e t1 ] && f=t2; echo $RUN > $f; echo $f >> names"),
        both("f=$(mktemp tXXXXXX); echo $RUN > $f; echo $f >> names"),
        "[ $(sort -u names | wc -l) = 2 ] || { echo 'two have one name'; exit 1; }", "two have one name", slow=True,
    ),
    Case(
        "cleaner", "", {"a": "echo x > t.tmp; mv t.tmp t", "b": "rm -f *.tmp"},
        {"a": "echo x > t.tmp; mv t.tmp t", "b": "find . -name '*.tmp' -mmin +5 -delete"},
        "[ -e t ] || { echo 't is gone'; exit 1; }", "t is gone", slow=True,
    ),
    Case(
        "mkdir and rmdir", "", {"a": "mkdir -p d && echo x > d/f", "b": "rmdir d 2>/dev/null; true"},
        {"a": LOCKED + "mkdir -p d && echo x > d/f", "b": LOCKED + "rmdir d 2>/dev/null; true"}, None,
        "a ends with code 1", slow=True,
    ),
    Case(
        "torn read", "echo '{\"port\": 2}' > conf",
        {"writer": f"{PYTHON} -c \"open('conf', 'w').write('{{}}')\"",
         "reader": f"{PYTHON} -c \"import json; json.load(open('conf'))\""},
        {"writer": f"{PYTHON} -c \"open('new', 'w').write('{{}}')\" && mv new conf",
         "reader": f"{PYTHON} -c \"import json; json.load(open('conf'))\""}, None, "reader ends with code 1", slow=True,
    ),
    Case(
        "make twice", "printf 'out:\\n\\techo made >> log; echo x > out\\n' > Makefile", both("make -s"),
        both(LOCKED + "make -s"), '[ $(wc -l < log) = 1 ] || { echo "made twice"; exit 1; }', "made twice",
        needs=("make",), slow=True,
    ),
    Case(
        "perl", "echo 5 > f", both(PERL), both(LOCKED + PERL),
        IS_7, "f is", slow=True, any_exit=True,
    ),
    Case(
        "busybox, static", "echo 5 > f", both("exec busybox sh -c 'n=$(busybox cat f); echo $((n+1)) > f'"),
        both(LOCKED + "busybox sh -c 'n=$(busybox cat f); echo $((n+1)) > f'"), IS_7, "f is 6, not 7",
        needs=("busybox",), slow=True,
    ),
    Case(
        "stale mkdir lock", "mkdir l; echo 32000 > l/pid", both(MKDIR), both(LOCKED + INSIDE), ONE_INSIDE,
        "two were inside at once", preemptions=2, slow=True,
    ),
    Case(
        "flock, unlinked", "", dict.fromkeys("abc", f"{LOCKED}{INSIDE}; rm lock"),
        dict.fromkeys("abc", f"{LOCKED}{INSIDE}"), ONE_INSIDE, "two were inside at once", any_exit=True, preemptions=2,
        slow=True,
    ),
    Case(
        "two commits", GIT, both("git commit -q --allow-empty -m $RUN"),
        both(IN_GIT + "git commit -q --allow-empty -m $RUN"), None, "ends with code",
        needs=("git",), slow=True,
    ),
    Case(
        "one checkout, two runs", GIT,
        {"a": "git checkout -q head && git rev-parse HEAD > stamp", "b": "git checkout -q base"},
        {"a": IN_GIT + "git checkout -q head && git rev-parse HEAD > stamp", "b": IN_GIT + "git checkout -q base"},
        STAMPED, "a stamped base", needs=("git",), any_exit=True,
    ),
    Case(
        "sqlite", f"{PYTHON} -c \"import sqlite3; c = sqlite3.connect('d'); c.execute('create table t (n)'); "
        "c.execute('insert into t values (5)'); c.commit()\"",
        both(SQL.format(kind="deferred")), both(SQL.format(kind="immediate")), None, "ends with code 1", slow=True,
    ),
    Case(
        "lock left by the dead", "", {"a": "mkdir l && { echo a >> done; rmdir l; }",
                                      "b": "mkdir l && { echo b >> done; rmdir l; }"},
        {"a": LOCKED + "echo a >> done", "b": LOCKED + "echo b >> done"},
        '[ "$EXIT_a" = 137 ] && [ "$EXIT_b" != 137 ] && ! grep -q b done && { echo "b did nothing"; exit 1; }; true',
        "b did nothing", any_exit=True, crashes=1, preemptions=0,
    ),
    Case(
        "half written", "echo old > conf", {"a": "echo new > conf", "b": READ},
        {"a": "echo new > next; mv next conf", "b": READ},
        f'[ "$EXIT_b" != 0 ] || {READS}', "saw ''", crashes=1, preemptions=0, slow=True,
    ),
]  # fmt: skip
