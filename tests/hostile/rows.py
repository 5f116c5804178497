"""Hostile inputs by hand, one of each kind of fault that was found: the files, the command, and how it must end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.valid import BANK, EVIDENCE, HUNT, MODEL, PERFORMED, SCENARIO, WITNESS


@dataclass(frozen=True)
class Row:
    """One hostile input: what lies in the folder, the command, the exit codes that are right, what must be said."""

    name: str
    words: tuple[str, ...]
    codes: tuple[int, ...] = (2,)
    told: tuple[str, ...] = ()
    files: dict[str, str | bytes | Callable[[Path], None]] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    """The user's files whose content the command is to change; modes and links stay."""

    def lay_out(self, folder: Path) -> None:
        """The row's files, in `folder`."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _witness(name: str, told: str, codes: tuple[int, ...] = (2,), **changes: Any) -> Row:
    content = json.dumps(WITNESS | changes)
    return Row(f"witness: {name}", ("show", "w.json"), codes, (told,), {"bank.py": MODEL, "w.json": content})


def _origin(name: str, told: str, **changes: Any) -> Row:
    return _witness(f"origin.{name}", told, origin=WITNESS["origin"] | changes)


def _steps(name: str, told: str, **changes: Any) -> Row:
    first, *rest = WITNESS["steps"]
    return _witness(f"steps.{name}", told, steps=[first | changes, *rest], starts_s={"p#1": 0.0, "p#2": 0.0})


def _private(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text)
        path.chmod(0o600)

    return write


def witnesses() -> Iterator[Row]:
    """Witnesses whose fields are of another type, too large, or of another model."""
    yield _origin("model = 5", r"w.json: at origin.model: it must be a text.*given: 5", model=5)
    yield _origin("parameters = null", r"w.json: at origin.parameters: ", parameters=None)
    yield _origin("parameters of a wrong name", r"w.json: .*parameter 'x'", parameters={"x": 1})
    yield _origin("placement = []", r"w.json: at origin.placement: ", placement=[])
    yield _origin("names of numbers", r"w.json: at origin.names.p#1: ", names={"p#1": 5})
    yield _origin("names of nobody", r"w.json: .*unknown process 'x'", names={"x": "y"})
    yield _origin("crashes = x", r"w.json: at origin.crashes: ", crashes="x")
    yield _origin("crashes are many", r"w.json: at origin.crashes: ", crashes=10**30)
    yield _origin("copies = 5", r"w.json: at origin.copies: ", copies=5)
    yield _origin("copies are a text", r"w.json: at origin.copies", copies={"p": "many"})
    yield _origin("unknown key", r"w.json: at origin.modle: unknown key 'modle'; did you mean 'model'", modle="x")
    yield _origin("model elsewhere", r"w.json: .*no model at '/etc/passwd'|/etc/passwd is there", model="/etc/passwd")
    yield _origin("long model", r"w.json: .*", model="m" * 10_000)
    yield _witness("starts_s = 5", r"w.json: at starts_s: ", starts_s=5)
    yield _witness("starts_s of texts", r"w.json: at starts_s.p#1: ", starts_s={"p#1": "x"})
    yield _witness("steps = 5", r"w.json: at steps: ", steps=5)
    yield _witness("steps of numbers", r"w.json: at steps.0: ", steps=[5] * 4)
    yield _steps("time_s is a text", r"w.json: at steps.0.time_s: ", time_s="x")
    yield _steps("time_s is missing", r"w.json: step 1 has time_s = None", time_s=None)
    yield _witness("since = 13th month", r"w.json: at since: ", since="2026-13-01T00:00:00")
    yield _witness("since = 5", r"w.json: at since: ", since=[5])
    yield _witness("schedule of many", r"w.json: .*schedule", schedule="p#1*999999999999")
    yield _witness("schedule of digits", r"w.json: .*schedule", schedule="p#1*" + "9" * 5000)
    yield _witness("schedule of nonsense", r"w.json: .*'!!' is not a choice", schedule="!!")
    yield _witness("schedule = 5", r"w.json: at schedule: ", schedule=5)
    yield _witness("about = 5", r"w.json: at about: ", about=5)
    yield _witness("results = 5", r"w.json: at results: ", results=5)
    yield _witness("half a surrogate pair", r"w.json: .*surrogate", about="\ud800")
    for name, text, told in (
        ("nan", json.dumps(WITNESS).replace('"time_s": null', '"time_s": NaN'), r"w.json: .*NaN|finite"),
        ("nesting", "[" * 100_000, r"w.json: .*(deep|nest)"),
        ("nested field", json.dumps(WITNESS).replace('"names": {}', '"names": ' + "[" * 400 + "]" * 400), "w.json: "),
        ("digits", json.dumps(WITNESS).replace('"crashes": 0', '"crashes": ' + "9" * 5000), r"w.json: .*digits"),
        ("no format", "{}", r"w.json: not a witness"),
        ("a list", "[]", r"w.json: not a witness"),
        ("empty", "", r"w.json: not JSON"),
        ("an unterminated text", '{"format": "dst', r"w.json: not JSON.*; end this text with its"),
        ("cut off", json.dumps(WITNESS)[:300], r"w.json: not JSON"),
        ("not UTF-8", b"\xff\xfe{}", r"w.json: not UTF-8 \(line 1, byte 0xff\): save"),
    ):
        yield Row(f"witness: {name}", ("show", "w.json"), (2,), (told,), {"bank.py": MODEL, "w.json": text})
    many = {"model": "bank.py", "parameters": {"customers": 10**12}}
    yield _witness("customers = 10**12", r"w.json: .*customers", origin=WITNESS["origin"] | many)
    yield _steps("time that goes backwards", r"w.json: .*(time_s|before)", time_s=7.0)


def _scenario(name: str, told: str, old: str = "", new: str = "", extra: str = "") -> Row:
    text = SCENARIO.replace(old, new) + extra if old else SCENARIO + extra
    return Row(f"scenario: {name}", ("replay", "s.toml"), (2,), (told,), {"bank.py": MODEL, "s.toml": text})


def toml_files() -> Iterator[Row]:
    """Scenarios and evidence that are no TOML, of other types, of mixed zones, or too large."""
    yield _scenario("an unterminated text", r"s.toml: .*; end this text with its", '"bank.py"', '"bank.py')
    yield _scenario("a bare word", r"s.toml: .*: 'model = bank.py'; write a text in quotation", '"bank.py"', "bank.py")
    yield _scenario("nesting", r"s.toml: .*(deep|nest)", extra="[parameters]\nx = " + "[" * 9000)
    yield _scenario(
        "nested within the limit of Python",
        r"s.toml: .*(deep|nest)",
        "seed = 1",
        "seed = 1\n[parameters]\nx = " + "[" * 200 + "]" * 200 + "\n",
    )
    yield _scenario(
        "an integer of 5000 digits", r"s.toml: .*digits; none may be larger", "seed = 1", "seed = " + "9" * 5000
    )
    yield _scenario("a large seed", r"s.toml: at seed: ", "seed = 1", "seed = 1" + "0" * 30)
    yield _scenario("a name with NUL", r"a.x00b: names no file", "seed = 1", 'seed = 1\nevidence = "a\\u0000b"')
    yield _scenario("mixed zones", r"s.toml: .*zone", "10:00:05", "10:00:05Z")
    yield _scenario("at = 5", r"s.toml: at starts.1.at: ", "2026-01-01T10:00:05", "5")
    yield _scenario("an empty name", r"s.toml: at starts.0.name: ", '"ann"', '""')
    yield _scenario("a name twice", r"s.toml: .*'ann'", '"bob"', '"ann"')
    yield _scenario(
        "constant_s = true",
        r"s.toml: at delays.x.constant_s: ",
        extra='[delays]\nx = {constant_s = true, source = "s"}\n',
    )
    yield _scenario("a model that is a folder of none", r"is there, but a model is", "bank.py", "..")
    yield Row("scenario: a FIFO", ("replay", "s.toml"), (2,), (r"s.toml: .*(FIFO|pipe)",), {"s.toml": fifo})
    yield Row("scenario: a device", ("replay", "/dev/zero"), (2,), (r"/dev/zero: .*device",))
    yield Row("scenario: a folder", ("replay", "."), (2,), (r"folder|directory",))
    yield Row("scenario: not UTF-8", ("replay", "s.toml"), (2,), (r"s.toml: not UTF-8",), {"s.toml": b"\xff"})
    yield Row("scenario: large", ("replay", "s.toml"), (2,), (r"s.toml: larger than",), {"s.toml": b"#" * (20 << 20)})
    bank = {name: (BANK / name).read_text() for name in ("scenario.toml", "overdraft.py")}
    for name, old, new, told in (
        ("mixed zones", "time = 2026-03-02T09:30:00", "time = 2026-03-02T09:30:00Z", r"evidence.toml: .*zone"),
        ("until with a zone", "company =", "until = 2026-03-02T10:30:00Z\ncompany =", r"evidence.toml: .*zone"),
        ("a time that is a number", "time = 2026-03-02T09:30:00", "time = 5", r"evidence.toml: at runs.0.time: "),
        (
            "an unknown key",
            "account = 1",
            "acount = 1",
            r"at runs.0.acount: unknown key 'acount'; did you mean 'account'",
        ),
        ("another type", "left = -20", 'left = "much"', r"evidence.toml: at runs.2.left: "),
        ("a truth for a number", "account = 1", "account = true", r"at runs.0.account: .*whole number \(given: true\)"),
        ("a number for a truth", "paid = true", "paid = 1", r"at runs.0.paid: it must be true or false \(given: 1\)"),
        ("a text for a number", "account = 1", 'account = "1"', r"at runs.0.account: .*whole number \(given: '1'\)"),
        ("nesting", "account = 1", "account = " + "[" * 9000, r"evidence.toml: .*(deep|nest)"),
    ):
        text = (BANK / "evidence.toml").read_text()
        assert old in text
        files = bank | {"evidence.toml": text.replace(old, new, 1)}
        yield Row(f"evidence: {name}", ("replay", "scenario.toml"), (2,), (told,), files)
    yield Row(
        "evidence: a FIFO",
        ("replay", "scenario.toml"),
        (2,),
        (r"evidence.toml: .*FIFO",),
        bank | {"evidence.toml": fifo},
    )
    yield Row(
        "evidence: missing",
        ("replay", "scenario.toml", "--evidence", "no.toml"),
        (2,),
        ("no.toml",),
        bank | {"evidence.toml": EVIDENCE},
    )
    yield Row("witness: a FIFO", ("show", "w.json"), (2,), (r"w.json: .*FIFO",), {"w.json": fifo})
    yield Row("witness: a device", ("show", "/dev/zero"), (2,), (r"/dev/zero: .*device",))
    yield Row("model: a FIFO", ("explore", "m.py"), (2,), (r"m.py",), {"m.py": fifo})
    yield Row("model: large", ("explore", "m.py"), (2,), (r"m.py: larger",), {"m.py": b"#" * (20 << 20)})


def numbers() -> Iterator[Row]:
    """Figures that nobody means."""
    big = "1" + "0" * 30
    for words in (
        ("explore", "bank.py", "--crashes", big),
        ("sample", "bank.py", "--seed", big),
        ("sample", "bank.py", "--steps", big),
        ("sample", "bank.py", "--strategy", f"pct:depth={big}"),
        ("sample", "bank.py", "--strategy", f"preemption-bounded:preemptions={big}"),
        ("explore", "classic/bank", "--set", f"customers={big}"),
        ("explore", "classic/bank", "--set", "customers=1000000000"),
        ("explore", "classic/bank", "--set", "customers=-1"),
    ):
        yield Row(f"numbers: {' '.join(words)[-40:]}", words, (2,), (), {"bank.py": MODEL})


def outputs() -> Iterator[Row]:
    """Results that cannot be written, or would be written over something."""
    bank = {name: (BANK / name).read_text() for name in ("scenario.toml", "overdraft.py", "evidence.toml")}
    stem = "out/bank-no-lost-update"
    explored = ("explore", "bank.py")
    yield Row(
        "outputs: a picture is a folder",
        explored,
        (74,),
        (r"update.png: .*folder",),
        {"bank.py": MODEL, f"{stem}.png": folder},
    )
    yield Row(
        "outputs: a witness is a folder",
        explored,
        (74,),
        (r"witness.json: ",),
        {"bank.py": MODEL, f"{stem}.witness.json": folder},
    )
    yield Row(
        "outputs: a picture is a link",
        explored,
        (74,),
        (r"update.png: .*link",),
        {"bank.py": MODEL, "mine": "mine", f"{stem}.png": _link("../mine")},
    )
    yield Row(
        "outputs: a picture is the user's",
        explored,
        (74,),
        (r"update.svg: .*--force",),
        {"bank.py": MODEL, f"{stem}.svg": "mine"},
    )
    yield Row(
        "outputs: the folder is a file",
        ("explore", "bank.py", "--out", "bank.py"),
        (2,),
        ("--out bank.py",),
        {"bank.py": MODEL},
    )
    yield Row(
        "outputs: into /proc", ("explore", "bank.py", "--out", "/proc/x"), (2,), ("--out /proc/x",), {"bank.py": MODEL}
    )
    yield Row(
        "outputs: a long folder", ("explore", "bank.py", "--out", "x" * 300), (2,), ("--out",), {"bank.py": MODEL}
    )
    long = MODEL.replace("no lost update", "\U00010400" * 90)
    yield Row("outputs: a name of 90 four-byte letters", explored, (1,), (), {"bank.py": long})
    yield Row(
        "outputs: report over the evidence",
        ("replay", "scenario.toml", "--report", "evidence.toml"),
        (2,),
        ("evidence.toml",),
        bank,
    )
    yield Row(
        "outputs: report over a file",
        ("replay", "scenario.toml", "--report", "mine.md"),
        (2,),
        ("mine.md.*--force",),
        bank | {"mine.md": "mine"},
    )
    yield Row(
        "outputs: report is a folder", ("replay", "scenario.toml", "--report", "d"), (2,), ("d",), bank | {"d": folder}
    )
    yield Row(
        "outputs: report in no folder", ("replay", "scenario.toml", "--report", "no/r.md"), (2,), ("no/r.md",), bank
    )
    run = {"runs/a/results.json": '{"paid": true, "left": 40}'}
    yield Row(
        "ingest: a truth for a number",
        ("ingest", "runs", "--model", "overdraft.py", "--into", "e.toml"),
        (2,),
        (r"results.json: left: .*whole number \(given: true\)",),
        bank | {"runs/a/results.json": '{"paid": true, "left": true}'},
    )
    ingest = ("ingest", "runs", "--model", "overdraft.py", "--into")
    for name, into in (
        ("a folder", "d"),
        ("/proc", "/proc/e.toml"),
        ("a long name", "x" * 253),
        ("too long a name", "x" * 300),
    ):
        yield Row(
            f"ingest: into {name}",
            (*ingest, into, "--replace"),
            (0, 2) if name == "a long name" else (2,),
            (),
            bank | run | {"d": folder},
        )
    yield Row("ingest: results are a FIFO", (*ingest, "e.toml"), (2,), ("FIFO",), bank | {"runs/a/results.json": fifo})
    yield Row(
        "ingest: results are a device",
        (*ingest, "e.toml"),
        (2,),
        ("link|device",),
        bank | {"runs/a/results.json": _link("/dev/zero")},
    )
    yield Row(
        "ingest: results lie elsewhere",
        (*ingest, "e.toml"),
        (2,),
        ("link",),
        bank | {"secret.json": '{"token": "hunter2"}', "runs/a/results.json": _link("../../secret.json")},
    )
    yield Row(
        "ingest: a folder lies elsewhere",
        (*ingest, "e.toml"),
        (2,),
        ("link",),
        bank | {"other/results.json": '{"token": "hunter2"}', "runs": folder, "runs/a": _link("../other")},
    )
    mixed = {
        "runs/a/results.json": '{"paid": true}',
        "runs/a/x.log": "2026-01-01T00:00:00Z begin\n",
        "runs/b/results.json": '{"paid": true}',
        "runs/b/x.log": "2026-01-01T00:00:00 begin\n",
    }
    for name, pattern, told in (
        ("no pattern", "(", r"overdraft.py.*log_lines has '\(', which is no pattern: "),
        ("no field", "x", r"overdraft.py.*log_lines has 'x', which names no field: write "),
    ):
        text = bank["overdraft.py"].replace(r'r"balance now (?P<left>-?\d+)"', repr(pattern))
        yield Row(
            f"ingest: log lines are {name}", (*ingest, "e.toml"), (2,), (told,), bank | run | {"overdraft.py": text}
        )
    yield Row(
        "ingest: a folder's name is no text",
        (*ingest, "e.toml"),
        (2,),
        (r"runs/a.*: the name of its folder is not UTF-8: rename",),
        bank | {"runs/a\udcff/results.json": run["runs/a/results.json"]},
    )
    yield Row("ingest: mixed zones", (*ingest, "e.toml"), (0, 2), ("zone",), bank | mixed)
    observed = ("update", "evidence.toml", "--scenario", "scenario.toml", "--observe", "one withdrawal=in order")
    yield Row(
        "update: evidence that others may not read",
        observed,
        (0,),
        (),
        bank | {"evidence.toml": _private(bank["evidence.toml"])},
        changes=("evidence.toml",),
    )
    yield Row(
        "update: evidence behind a link",
        observed,
        (2,),
        (r"evidence.toml: .*link",),
        bank | {"real.toml": bank["evidence.toml"], "evidence.toml": _link("real.toml")},
    )
    yield Row(
        "outputs: a result that others may not read",
        (*explored, "--force"),
        (1,),
        (),
        {"bank.py": MODEL, f"{stem}.png": _private("mine")},
        changes=(f"{stem}.png",),
    )
    for name, *options in (("w.png",), ("w.html", "--html")):
        yield Row(
            f"outputs: {name} over the witness",
            ("show", name, *options, "--out", "."),
            (74,),
            (rf"{name}: cannot be written: this command read it",),
            {"bank.py": MODEL, name: json.dumps(PERFORMED)},
        )
    yield Row(
        "update: source with half a pair",
        (*observed, "--source", "\udcff"),
        (2,),
        (r"at outcomes.0.source: .*half a surrogate pair",),
        bank,
    )


def hunts() -> Iterator[Row]:
    """Hunt files that hold anything else, or whose commands a reader may not expect."""
    for name, place, value, told in (
        ("a number for a command", "runs", {"a": 5, "b": "x"}, r"at runs.a: it must be a text"),
        ("one run", "runs", {"a": "x"}, r"at runs: it must have at least 2 entries \(given: "),
        ("a NUL in a command", "setup", "a\0b", r"at setup: "),
        ("a text for the runs", "runs", "ab", r"at runs: it must be a table"),
        ("a run that is a path", "runs", {"../a": "x", "b": "y"}, r"at runs.../a"),
        ("an unknown run", "stretches", [{"run": "c"}], r"unknown run 'c'"),
        ("a large count", "stretches", [{"run": "a", "nth": 10**30}], r"at stretches.0.nth: .*larger than any"),
        ("a negative count", "stretches", [{"run": "a", "nth": -1}], r"at stretches.0.nth: .*-1"),
        ("a start state of another form", "start", ["f"], r"at start.0: "),
        ("a digest that is none", "programs", {"/bin/cat": "x"}, r"at programs./bin/cat: "),
        ("a pattern that takes for ever", "shapes", [["", "(a*)*b", "x"]], r"at shapes.0.1: "),
        ("a pattern that is none", "shapes", [["", "[", "x"]], r"at shapes.0.1: "),
        ("a text for what may be written", "allowed", "/", r"at allowed: it must be a list"),
        ("ignore beside a check", "ignore", ["*"], r"a file with a check has no ignore"),
        ("a key of none", "cheek", "x", r"at cheek: unknown key.*check"),
        ("another format", "format", "dstamp-hunt/9", r"not a hunt file: .*dstamp-hunt/9"),
        ("a folder that is gone", "folder", "nowhere", r"--from nowhere: no such folder"),
        ("a folder elsewhere", "folder", "/etc", r"at folder: /etc lies outside .* --trust"),
        ("what may be written elsewhere", "allowed", ["/etc"], r"at allowed.0: /etc lies outside .* --trust"),
        ("a link that leads elsewhere", "allowed", ["away"], r"at allowed.0: away lies outside .* --trust"),
    ):
        text = json.dumps(HUNT | {place: value})
        yield Row(
            f"hunt: {name}",
            ("show", "h.hunt.json"),
            (2,),
            (f"h.hunt.json: .*{told}",),
            {"h.hunt.json": text, "away": _link("/etc")},
        )
    yield Row("hunt: a FIFO", ("show", "h.hunt.json"), (2,), (r"h.hunt.json: .*FIFO",), {"h.hunt.json": fifo})
    elsewhere = _link("../../../../../../../../tmp/elsewhere.json")
    yield Row("hunt: a link to nowhere", ("show", "h.hunt.json"), (2,), (r"h.hunt.json: ",), {"h.hunt.json": elsewhere})
