"""The AsyncAPI CLI, fetched once by npm into the cache folder: its pinned version, and a call of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.paths import REPOSITORY

CLI = "@asyncapi/cli@6.2.0"
INSTALL_S_MAX = 900  # 75 s on an idle machine, 440 MB


class CliUnavailable(Exception):
    """npm is not there or cannot install; the message says which."""


def installed() -> Path:
    """The program. Raises CliUnavailable."""
    npm = shutil.which("npm")
    if npm is None:
        raise CliUnavailable("npm is not on the PATH")
    cache = Path(os.environ.get("HUZHU_CACHE_DIR") or REPOSITORY / ".cache").absolute()
    folder = cache / "asyncapi-cli" / CLI.rpartition("@")[2]
    program = folder / "node_modules" / ".bin" / "asyncapi"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text("{}")
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", CLI]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S_MAX)
        except subprocess.TimeoutExpired:
            raise CliUnavailable(f"npm did not install {CLI} within {INSTALL_S_MAX} s") from None
        if done.returncode != 0:
            raise CliUnavailable(f"npm cannot install {CLI}: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "complete").touch()
    return program


def validate(document: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """What the CLI says about a document. It reports to nobody: its metrics are switched off."""
    metrics = scratch / "asyncapi-analytics"
    metrics.write_text(json.dumps({"analyticsEnabled": "false", "infoMessageShown": "true", "userID": "none"}))
    return subprocess.run(
        [installed(), "validate", document],
        cwd=scratch,
        env={**os.environ, "ASYNCAPI_METRICS_CONFIG_PATH": str(metrics), "SUPPRESS_NO_CONFIG_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
