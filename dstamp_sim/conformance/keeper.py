"""What must not outlive us: a scratch folder and a private Docker Engine, with a process that sees us end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from dstamp_sim.core.errors import UsageError, cut

IMAGE = "dstamp-toy:1"
"""The toy service's image: one static busybox."""

START_S = 60.0
"""How long an engine may take to answer."""


class NoEngine(UsageError):
    """No Docker Engine can be started here, or the requested one is unusable; the message says why."""


@dataclass(frozen=True)
class Engine:
    """A Docker Engine in swarm mode: its address, and the folder where its tasks find their orders (if it is ours)."""

    address: str
    control: Path | None

    def client(self) -> Any:
        """A client of its HTTP API (docker-py's low-level one). Raises NoEngine if that library is missing."""
        try:
            import docker  # noqa: PLC0415 - optional: only the real parts need it
        except ImportError as error:
            raise NoEngine("the Python package 'docker' is missing: pip install 'dstamp-sim[real]'") from error
        return docker.APIClient(base_url=self.address, version="1.41", timeout=60)


def obstacles() -> list[str]:
    """Why no private engine can be started on this machine, reason by reason; empty if there is none."""
    found = [
        f"no {command} on the PATH: apt-get install {package}"
        for command, package in (("dockerd", "docker.io"), ("busybox", "busybox-static"), ("unshare", "util-linux"))
        if _which(command) is None
    ]
    busybox = _which("busybox")
    if busybox is not None and _asks_for_a_loader(Path(busybox)):
        found.append(f"{busybox} needs libraries, and the toy service's image has none: apt-get install busybox-static")
    if os.geteuid() != 0:
        found.append("dockerd needs root, and this is user " + str(os.geteuid()))
    elif not found:
        tried = subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "true"],
            capture_output=True,
            text=True,
            check=False,
        )
        if tried.returncode:
            found.append(f"namespaces cannot be made here: {tried.stderr.strip()}")
    return found


def _asks_for_a_loader(program: Path) -> bool:
    """Whether a 64-bit ELF program is linked dynamically: it has a program header of the type PT_INTERP."""
    with program.open("rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            return False
        start, size, count = (int.from_bytes(header[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
        file.seek(start)
        table = file.read(size * count)
    return any(table[at : at + 4] == b"\x03\0\0\0" for at in range(0, len(table), size))


def _which(command: str) -> str | None:
    return shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that is gone when the block ends, and when this process dies, even by SIGKILL."""
    with _keeper() as (folder, _):
        yield folder


@contextmanager
def private_engine() -> Iterator[Engine]:
    """A Docker Engine of our own: a swarm of one node on its own loopback, holding `IMAGE` and no service.

    It is gone when the block ends, and when this process dies, even by SIGKILL: see keeper.sh. Several may run at
    once.
    Raises NoEngine with the reason if none can start.
    """
    if why := obstacles():
        raise NoEngine("no Docker Engine can start here: " + "; ".join(why))
    with _keeper(_which("dockerd")) as (_, init):
        root = Path(f"/proc/{init}/root/run")
        engine = Engine(f"unix://{root}/docker.sock", root / "control")
        try:
            with closing(_awaited(engine, root)) as client:
                client.init_swarm(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377")
                _import_image(client)
        except NoEngine:
            raise
        except Exception as error:  # whatever its client makes of an engine that dies
            raise NoEngine(f"dockerd came up and then failed: {error}; {_last_words(root)}") from error
        yield engine


@contextmanager
def some_engine(*, use_docker_host: bool = False) -> Iterator[Engine]:
    """A private engine, or with `use_docker_host` the one that DOCKER_HOST names: it must be in swarm mode.

    Raises NoEngine if the requested one is unusable. A foreign engine keeps one image.
    """
    if not use_docker_host:
        with private_engine() as engine:
            yield engine
        return
    address = os.environ.get("DOCKER_HOST")
    if not address:
        raise NoEngine("--yes-use-this-engine: DOCKER_HOST is not set, so there is no engine to use")
    if not _listens(address):
        raise NoEngine(f"DOCKER_HOST={address} does not answer: nothing listens there")
    engine = Engine(address, None)
    try:
        with closing(engine.client()) as client:
            state = client.info()["Swarm"]["LocalNodeState"]
            if state == "active":
                _import_image(client)
    except NoEngine:
        raise
    except Exception as error:
        raise NoEngine(f"DOCKER_HOST={address} does not answer: {error}") from error
    if state != "active":
        raise NoEngine(f"DOCKER_HOST={address} is not in swarm mode (it is {state}): docker swarm init")
    yield engine


@contextmanager
def _keeper(*engine: str | None) -> Iterator[tuple[Path, int]]:
    """A keeper at work: its scratch folder, and the first process of its engine's namespaces (0: no engine)."""
    script = Path(__file__).with_name("keeper.sh")
    with subprocess.Popen(
        ["sh", str(script), tempfile.gettempdir(), *filter(None, engine)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is for us, not for the keeper
        text=True,
    ) as keeper:
        assert keeper.stdin is not None and keeper.stdout is not None
        try:
            folder = _said(keeper.stdout.readline(), "SCRATCH")
            init = _said(keeper.stdout.readline(), "INIT") if engine else "0"
            yield Path(folder), int(init)
        finally:
            keeper.stdin.close()
            keeper.wait()


def _said(line: str, word: str) -> str:
    head, _, rest = line.strip().partition(" ")
    if head != word or not rest:
        raise NoEngine(f"the keeper said {line.strip()!r} instead of {word}")
    return rest


def _awaited(engine: Engine, root: Path) -> Any:
    """A client of an engine that answers. Raises NoEngine with the end of its log if it does not."""
    client = engine.client()
    until = time.monotonic() + START_S
    while not _listens(engine.address):
        if time.monotonic() > until or not root.exists():
            raise NoEngine(f"dockerd did not come up: {_last_words(root)}")
        time.sleep(0.02)
    client.ping()
    return client


def _last_words(root: Path) -> str:
    """The end of the engine's log."""
    log = root / "dockerd.log"
    last = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else ["it left no log"]
    return cut(" | ".join(last), 500)


def _listens(address: str) -> bool:
    """Whether something listens at a `unix://` address; true for any other, untried."""
    scheme, _, path = address.partition("://")
    if scheme != "unix":
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _import_image(client: Any) -> None:
    busybox = _which("busybox")
    assert busybox is not None
    content = BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(os.path.realpath(busybox), "bin/busybox")
    repository, _, tag = IMAGE.partition(":")
    client.import_image_from_data(content.getvalue(), repository=repository, tag=tag)
