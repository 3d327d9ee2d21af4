"""Apicurio Registry, which speaks Confluent's API: fetched once by Maven into the cache folder, and run in memory.

Karapace is on no package registry, and needs parts from elsewhere to be built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.servers.local.ports import free_ports
from tests.support.paths import REPOSITORY
from tests.support.servers import await_true

VERSION = "2.6.13.Final"  # the last with its in-memory storage in one archive
UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
ARCHIVE = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"  # 140 MB
FETCH_S_MAX = 900
START_S_MAX = 120.0


class ApicurioUnavailable(Exception):
    """Maven or Java is not there, or cannot fetch it; the message says which."""


def fetched() -> Path:
    """The program's folder. Raises ApicurioUnavailable."""
    for needed in ("mvn", "java"):
        if shutil.which(needed) is None:
            raise ApicurioUnavailable(f"{needed} is not on the PATH")
    cache = Path(os.environ.get("HUZHU_CACHE_DIR") or REPOSITORY / ".cache").absolute()
    folder = cache / "apicurio" / VERSION
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = ["mvn", "-q", "-B", UNPACK, f"-Dartifact={ARCHIVE}", f"-DoutputDirectory={folder}"]
        try:
            # In its own folder, as Maven leaves a note where it runs.
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_S_MAX)
        except subprocess.TimeoutExpired:
            raise ApicurioUnavailable(f"Maven did not fetch {ARCHIVE} within {FETCH_S_MAX} s") from None
        if done.returncode != 0:
            raise ApicurioUnavailable(f"Maven cannot fetch {ARCHIVE}: {done.stdout.strip().splitlines()[:1]}")
        (folder / "complete").touch()
    return folder


@contextmanager
def running(scratch: Path) -> Iterator[str]:
    """The address of Confluent's API at a registry without schemas. Raises ApicurioUnavailable."""
    folder, (port,) = fetched(), free_ports(1)
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    options = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    options += ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
    said = scratch / "apicurio.log"
    with said.open("wb") as log:
        command = ["java", *options, "-jar", str(folder / f"apicurio-registry-app-{VERSION}-runner.jar")]
        process = subprocess.Popen(command, cwd=scratch, stdout=log, stderr=log)
    try:
        assert await_true(lambda: _answers(url) or process.poll() is not None, START_S_MAX), said.read_text()[-2000:]
        assert process.poll() is None, said.read_text()[-2000:]
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/subjects", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
