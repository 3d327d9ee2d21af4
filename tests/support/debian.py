"""Programs of the system that tests need: root installs them, others are told what to install."""

from __future__ import annotations

import os
import shutil
import subprocess


def missing(program: str) -> str:
    """Why a program cannot be had on this machine, or nothing when it is there. Debian's package has its name."""
    if shutil.which(program) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", program]
        subprocess.run(install, capture_output=True, check=False)
    return "" if shutil.which(program) else f"{program} is missing here: apt-get install {program}"
