"""The wheel's compiled core: with HUZHU_COMPILE=1, mypyc turns the modules named in pyproject.toml into C.

Without that variable, and for an editable installation, the wheel is pure Python: the same sources, also beside the
compiled modules in a compiled wheel, where Python prefers what is compiled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "HUZHU_COMPILE"
ROOMS = ("schemas", "handlers")
SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup

config, *modules = sys.argv[1].split("\\n")
extensions = mypycify(["--config-file", config, *modules], opt_level="3", debug_level="0", group_name="huzhu")
setup(name="huzhu", packages=[], ext_modules=extensions, script_args=["build_ext", "--build-lib", "compiled"])
"""
"""Run in a folder that holds only the sources, where setuptools finds no project of its own to read."""


def asked() -> bool:
    """Whether the wheel is to be compiled. Raises SystemExit for a value that is neither yes nor no."""
    value = os.environ.get(VARIABLE, "0")
    if value not in ("0", "1"):
        sys.exit(f"{VARIABLE} is {value}: write 1 to compile the core, 0 or nothing for a wheel of pure Python")
    return value == "1"


class CompiledCore(BuildHookInterface[BuilderConfig]):
    """Compiles in a temporary folder, and puts what comes out into the wheel."""

    folder: Path | None = None

    def dependencies(self) -> list[str]:
        """What a build environment of its own needs besides hatchling: the compiler, and what its types come from."""
        if not asked():
            return []
        return ["mypy", "setuptools", *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or not asked():
            return
        self.folder = Path(tempfile.mkdtemp(prefix="huzhu-compiled-"))
        root = Path(self.root)
        for room in ROOMS:
            shutil.copytree(root / room, self.folder / room, ignore=shutil.ignore_patterns("__pycache__"))
        told = "\n".join([str(root / "pyproject.toml"), *self.config["compiled"]])
        subprocess.run([sys.executable, "-c", SETUP, told], cwd=self.folder, check=True)
        compiled = self.folder / "compiled"
        for file in sorted(each for each in compiled.rglob("*") if each.is_file()):
            build_data["force_include"][str(file)] = str(file.relative_to(compiled))
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder)
