"""Kafka's jars: downloaded once by Maven according to the `pom.xml` in this folder, then kept in the cache folder.

The download goes into a temporary folder that is renamed when complete, so a folder with the final name is always
complete. A lock makes several starts on one machine wait for one download.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from infra.servers.local.errors import PartUnavailable

POM = Path(__file__).with_name("pom.xml")
JAVA_OLDEST = 17  # the oldest that runs Kafka 4 brokers
OTHERWISE = "or set HUZHU_KAFKA_BOOTSTRAP to the host:port of a running Kafka"


def java() -> str:
    """The path of a Java that can run Kafka: that of JAVA_HOME, or else the first on the PATH."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    remedy = f"install Java {JAVA_OLDEST} or newer (Debian: apt install default-jre-headless), {OTHERWISE}."
    if path is None:
        raise PartUnavailable(f"A local Kafka needs Java, but there is none on the PATH: {remedy}")
    output = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(?:1\.)?(\d+)', output.stderr + output.stdout)
    if version is None or int(version[1]) < JAVA_OLDEST:
        problem = f"is Java {version[1]}" if version else "does not run"
        raise PartUnavailable(f"A local Kafka needs Java {JAVA_OLDEST}, but {path} {problem}: {remedy}")
    return path


def kafka_jars() -> Path:
    """The folder with Kafka's jars. Downloads them first if they are not there yet."""
    cache = Path(os.environ.get("HUZHU_CACHE_DIR") or POM.parents[3] / ".cache").absolute() / "kafka-libs"
    jars = cache / _version()
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            for interrupted in cache.glob("partial-*"):
                shutil.rmtree(interrupted, ignore_errors=True)
            _download(jars)
    return jars


def _version() -> str:
    version = ElementTree.parse(POM).findtext("{http://maven.apache.org/POM/4.0.0}version")
    assert version, f"{POM} has no version"
    return version


def _download(jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise PartUnavailable(
            "The first start of a local Kafka downloads it with Maven, but there is no mvn on the PATH: "
            f"install Maven (Debian: apt install maven), {OTHERWISE}."
        )
    with tempfile.TemporaryDirectory(prefix="partial-", dir=jars.parent) as partial:
        libraries = Path(partial, "lib")
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={libraries}"]
        outcome = subprocess.run(
            [maven, "-q", "-B", "-f", str(POM), *goal], capture_output=True, text=True, check=False
        )
        if outcome.returncode != 0:
            errors = re.findall(r"^.*\[ERROR\]\S* *(\S.*)$", outcome.stdout + outcome.stderr, re.MULTILINE)
            reason = errors[0] if errors else f"mvn ended with {outcome.returncode}"
            raise PartUnavailable(
                f"Maven could not download Kafka ({reason}): make sure that mvn can reach a repository, {OTHERWISE}."
            )
        libraries.rename(jars)
