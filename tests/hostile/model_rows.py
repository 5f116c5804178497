"""Hostile models: they raise, exit, print, or hand over values of other types."""

from collections.abc import Iterator

from tests.hostile.rows import Row, fifo
from tests.hostile.valid import BUILD, HEAD, LOST, MODEL


def _model(name: str, text: str, told: str, *options: str, codes: tuple[int, ...] = (2,)) -> Row:
    return Row(f"model: {name}", ("explore", "m.py", *options), codes, (told,), {"m.py": text})


def models() -> Iterator[Row]:
    """Models that raise, exit, print, or hand over values of other types."""
    yield _model(
        "BaseException",
        HEAD + "class B(BaseException): pass\ndef p():\n    yield r.read()\n    raise B\n" + BUILD.format(LOST),
        r"m.py:\d+: .*raised B",
    )
    yield _model(
        "GeneratorExit",
        HEAD + "def p():\n    yield r.read()\n    raise GeneratorExit\n" + BUILD.format(LOST),
        r"m.py:\d+: .*GeneratorExit",
    )
    yield _model(
        "an exception without text",
        HEAD
        + "class B(Exception):\n    def __str__(self): return 1\n    __repr__ = __str__\n"
        + "def p():\n    yield r.read()\n    raise B\n"
        + BUILD.format(LOST),
        r"m.py:\d+: ",
    )
    yield _model(
        "closes stdout", MODEL.replace("def build", "import sys\nsys.stdout.close()\ndef build"), "", codes=(1,)
    )
    yield _model("sys.exit", MODEL + "import sys\nsys.exit(0)\n", r"m.py:\d+: .*sys.exit")
    yield _model(
        "raises ModelError",
        HEAD
        + "from dstamp_sim.core.errors import ModelError\ndef p():\n    yield r.read()\n    raise ModelError('x')\n"
        + BUILD.format(LOST),
        r"m.py",
    )
    for name, objects in (("an unhashable state", "Register('r', [])"), ("a number for a name", "Register(5, 0)")):
        yield _model(name, MODEL.replace("Register('r', 0)", objects), r"m.py|Register|name")
    own = (
        "class O(SharedObject):\n    def outcomes(self, state, op):\n        return {}\no = O('o', 0)\n"
        "def p():\n    yield o.op('x')\n"
        "def build() -> System:\n    return System(objects=[o], processes=[Process('p', p)])\n"
    )
    for value in ("None", "Outcome(1)", "'text'", "5", "(Outcome(state, takes=[]),)"):
        yield _model(f"outcomes are {value}", HEAD + own.format(value), r"m.py:\d+|outcomes")
    for old, new in (
        ("copies=2", "copies=1.5"),
        ("copies=2", "copies='two'"),
        ("copies=2", "copies=None"),
        ("copies=2", "copies=10**9"),
        ("Process('p'", "Process(5"),
        ("objects=[r]", "objects=[5]"),
        ("objects=[r]", "objects=[r], crashes=1.5"),
        ("objects=[r]", "objects=[r], crashes='1'"),
        ("objects=[r]", "objects=[r], lanes=[r]"),
        ("objects=[r]", "objects=[r], sections='crit'"),
        ("objects=[r]", "objects=[r], locks=[Flock('f')]"),
        ("objects=[r]", "objects='r'"),
        ("processes=[Process('p', p, copies=2)]", "processes='p'"),
        (f"properties=[{LOST}]", "properties='p'"),
        (f"properties=[{LOST}]", "properties=[lambda s: True]"),
        ("reads=[r]", "reads='r'"),
    ):
        yield _model(f"{new[-40:]}", MODEL.replace(old, new), r"m.py:\d+|[a-z]")
    for code, told in (
        ("os.fork()", r"a model must not fork: "),
        ("os.execv('/bin/true', ['true'])", r"a model must not put another program in this one's place"),
        ("os.chdir('/')", r"a model must not leave the current folder"),
        ("os._exit(0)", r"a model must not end the process"),
        ("os.close(1000)", r"a model must not close or redirect what it did not open"),
    ):
        yield _model(f"imported, it calls {code}", f"import os\n{code}\n" + MODEL, rf"m.py:2: .*{told}")
        in_program = MODEL.replace("def p():\n", f"import os\ndef p():\n    {code}\n")
        yield _model(f"its program calls {code}", in_program, rf"m.py:5: .*{told}")
    for name in ("PLACEMENTS", "MECHANISMS", "ASSUMPTIONS", "HYPOTHESES"):
        for value in ("5", "{'x': None}", "'text'"):
            yield _model(f"{name} = {value}", MODEL + f"{name} = {value}\n", rf"m.py.*{name}")
    yield _model(
        "annotation unknown",
        MODEL.replace("build()", "build(n: 'Nope' = 1)"),
        r"m.py:\d+: an annotation",
        "--set",
        "n=1",
    )
    yield _model(
        "annotation that is no type",
        MODEL.replace("build()", "build(n: Register = None)"),
        "declared dstamp_sim.objects.register.Register",
        "--set",
        "n=1",
    )
    yield _model("async build", MODEL.replace("def build", "async def build"), "async def")
    yield _model("async program", HEAD + "async def p():\n    return 1\n" + BUILD.format(LOST), "not `async def`")
    yield _model(
        "a property that changes its mind",
        MODEL.replace(LOST, 'always("x", lambda s, seen=[]: (seen.append(1) or len(seen) != 2) is True, reads=[r])'),
        r"m.py:\d+: ",
    )
    yield _model("NUL bytes", "x = 1\0", "m.py")
    for text, told in (
        ("x = 'abc", r"unterminated string literal.*; end the text with the quotation marks"),
        ('x = """abc', r"unterminated triple-quoted string.*; end the text with the quotation marks"),
        (f"x = {'9' * 5000}", r"a number of thousands of digits.*; write the number as a power"),
        ("def f(:", r"invalid syntax: 'def f\(:'; look for a missing bracket"),
        ("x = (1,", r".*never closed.*; pair this bracket"),
        ("x = 1)", r"unmatched.*; pair this bracket"),
        ("  x = 1", r"unexpected indent.*; indent the lines of a block alike"),
        ("def f():\nx = 1", r".*indented block.*; indent the lines of a block alike"),
    ):
        yield _model(f"not Python {text[:12]!r}", text + "\n" + MODEL, rf"m.py:\d+: not Python: {told}")
    for text, told in (
        ("f(5=3)", r"left of = stands a name or an item; to compare, write =="),
        ("if 1:\n        x = 1\n    y = 2", r"unindent does not match.*; indent the lines of a block alike"),
        ("x = 5.read()", r"invalid decimal literal.*; a name begins with a letter"),
        ("def p()", r"expected ':'.*; look for a missing bracket"),
        ("return 1", r"outside function.*; move this line"),
        ("x = 1 \\ 2", r"unexpected character after line continuation.*; mend this line"),
    ):
        yield _model(f"not Python {text[:12]!r}", text + "\n" + MODEL, rf"m.py:\d+: not Python: .*{told}")
    yield _model("a class for a program", MODEL.replace(", p, copies", ", Register, copies"), r"m.py:\d+: .*generator")
    yield _model("a file that is not there", "open('nowhere')\n" + MODEL, r"m.py:1: .*raised FileNotFound.*nowhere")
    latin = {"m.py": b"x = '\xe4'\n" + MODEL.encode()}
    told = r"m.py: not UTF-8 \(line 1, byte 0xe4 after \"x = '\"\), nor .*: save it in UTF-8"
    yield Row("model: not UTF-8", ("explore", "m.py"), (2,), (told,), latin)
    bytes_for_name = {"\udcff.py": MODEL}
    yield Row("model: a name of bytes", ("explore", "\udcff.py"), (1,), (), bytes_for_name)
    yield Row("model: its name is a FIFO's", ("explore", "f.py"), (2,), (r"f.py: .*FIFO",), {"f.py": fifo})
    yield _model("a million copies", MODEL.replace("copies=2", "copies=10**6"), r"m.py:\d+: .*0 to 10,000, or ANY")
    yield _model("UTF-16", "x = 1", "", codes=(2,))
    yield _model("prints", MODEL.replace("def p():\n", "def p():\n    print('chatter')\n"), "", "--json", codes=(1,))
    yield _model(
        "a section with mathtext",
        MODEL.replace("seen = yield r.read()", "seen = yield from section('$\\\\frac{1}{$', s())")
        .replace("def build", "def s():\n    seen = yield r.read()\n    return seen\ndef build")
        .replace("objects=[r]", "objects=[r], sections=['$\\\\frac{1}{$']"),
        "",
        codes=(1,),
    )
    yield Row("model: its name is no text", ("explore", "\udcff.py"), (1, 2), (), {"bank.py": MODEL})
    yield Row("model: terminal escapes", ("explore", "\x1b[31mx.py"), (2,), (r"no model at",))
    yield Row("model: 100,000 characters", ("explore", "x" * 100_000), (2,), ("no model at",))
    yield Row("model: NUL in its name", ("explore", "a\0b"), (2,), ("no model at",))
    yield Row(
        "model: a tuple from a text",
        ("explore", "m.py", "--set", "n=abc"),
        (1, 2),
        (),
        {"m.py": MODEL.replace("build()", "build(n: tuple[str, ...] = ())")},
    )
