"""Kafka's jars: fetched once by Maven as the pom beside this file says, then kept in the cache folder.

The download goes into a folder of its own and is renamed when complete, so a folder with the final name is
always a whole set. A lock makes several starts on one machine wait for one download.
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
JAVA_OLDEST = 17  # Kafka 4 brokers do not run on less
OTHERWISE = "or set HUZHU_KAFKA_BOOTSTRAP to the host:port of a running Kafka"


def java() -> str:
    """The path of a Java that can run Kafka: the one in JAVA_HOME, else the first on the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    wanted = f"install Java {JAVA_OLDEST} or newer (Debian: apt install default-jre-headless), {OTHERWISE}."
    if found is None:
        raise PartUnavailable(f"A local Kafka needs Java, and there is none on the PATH: {wanted}")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if version is None or int(version[1]) < JAVA_OLDEST:
        is_too_old = f"is Java {version[1]}" if version else "does not run"
        raise PartUnavailable(f"A local Kafka needs Java {JAVA_OLDEST}, and {found} {is_too_old}: {wanted}")
    return found


def kafka_jars() -> Path:
    """The folder with Kafka's jars, downloaded first if this machine does not have them yet."""
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
            "The first start of a local Kafka downloads it with Maven, and there is no mvn on the PATH: "
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
                f"Maven could not download Kafka ({reason}): see that mvn reaches a repository, {OTHERWISE}."
            )
        libraries.rename(jars)
