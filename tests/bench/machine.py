"""The machine that was measured, and how busy it was."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import psutil
import psycopg

from infra.servers.local.jars import POM, java


def describe(database_url: str | None = None) -> dict[str, str]:
    """What a reader needs to compare figures: hardware, kernel, versions."""
    version = subprocess.run([java(), "-version"], capture_output=True, text=True, check=False).stderr
    kafka = ElementTree.parse(POM).findtext("{http://maven.apache.org/POM/4.0.0}version") or "?"
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "java": version.splitlines()[0].split('"')[1],
        "kafka": kafka.partition("-")[0],
        "postgresql": _postgres_version(database_url),
    }


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def _cpu_model() -> str:
    """The processor's name; where a virtual machine gives none of its own, its family and model too."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor()
    text = cpuinfo.read_text()
    named = {key: re.search(rf"^{key}\s*: (.*)$", text, re.MULTILINE) for key in ("model name", "cpu family", "model")}
    name, family, model = (found[1] if found else "?" for found in named.values())
    clock = re.search(r"^cpu MHz\s*: (.*)$", text, re.MULTILINE)
    return f"{name}, family {family} model {model}" + (f", {float(clock[1]) / 1000:.1f} GHz" if clock else "")


def _postgres_version(database_url: str | None) -> str:
    if database_url is None:
        return "not used"
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"
