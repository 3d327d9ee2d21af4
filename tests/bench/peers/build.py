"""Makes the peers that need more than the project's own environment: jars for Java, a second venv for quixstreams.

Both lie in the cache folder, under names that change with their pins, and are made once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CACHE = Path(os.environ.get("HUZHU_CACHE_DIR") or ROOT / ".cache").absolute() / "bench"
POM = HERE / "kstreams" / "pom.xml"
REQUIREMENTS = HERE / "quix" / "requirements.txt"


class PeerUnavailable(Exception):
    """A peer cannot be made on this machine; the others can still run."""


def kafka_streams_classpath() -> str:
    """The class path of the compiled Java peer, fetched by Maven and compiled by javac the first time."""
    version = ElementTree.parse(POM).findtext("{http://maven.apache.org/POM/4.0.0}version")
    sources = sorted((HERE / "kstreams" / "src").glob("*.java"))
    jars = CACHE / f"kstreams-{version}"
    classes = CACHE / f"kstreams-classes-{_digest(POM, *sources)}"
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]

    def fetch(folder: Path) -> None:
        _run([_tool("mvn"), "-q", "-B", "-f", str(POM), *goal, f"-DoutputDirectory={folder}"])

    def compile_into(folder: Path) -> None:
        _run([_tool("javac"), "-cp", f"{jars}/*", "-d", str(folder), *map(str, sources)])

    _make(jars, fetch)
    _make(classes, compile_into)
    return f"{classes}:{jars}/*"


def quix_python() -> str:
    """The Python of the environment with quixstreams, installed the first time."""
    environment = CACHE / f"quix-{_digest(REQUIREMENTS)}"
    done = environment / "installed"
    if not done.exists():
        shutil.rmtree(environment, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(environment)])
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(REQUIREMENTS)])
        done.touch()
    return str(environment / "bin" / "python")


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fills a folder under a temporary name and renames it: one with the final name is always whole."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return
        partial = folder.with_name(f"partial-{folder.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        fill(partial)
        partial.rename(folder)


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PeerUnavailable(f"there is no {name} on the PATH (Debian: apt install maven default-jdk-headless)")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PeerUnavailable(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-500:]}")
