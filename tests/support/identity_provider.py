"""A real OpenID Connect provider on loopback: panva's certified oidc-provider, run by node."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx

from infra.oidc.provider_settings import BACK
from tests.support.paths import REPOSITORY

SOURCES = REPOSITORY / "tests" / "web" / "provider"
INSTALLED = REPOSITORY / ".cache" / "oidc-provider"
SECRET = "secret-of-huzhu"
FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def why_not() -> str | None:
    """Why the provider cannot run here; None if it can. Installs it once, by its lock file."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed"
    lock = (SOURCES / "package-lock.json").read_bytes()
    stamp, known = INSTALLED / "stamp", hashlib.sha256(lock).hexdigest()
    if stamp.is_file() and stamp.read_text("ascii") == known:
        return None
    shutil.rmtree(INSTALLED, ignore_errors=True)
    shutil.copytree(SOURCES, INSTALLED)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=INSTALLED,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return f"npm cannot install the provider: {done.stderr.strip()[-300:]}"
    stamp.write_text(known, "ascii")
    return None


@contextmanager
def provider(console: str, lasts_s: int = 600) -> Iterator[str]:
    """The issuer's address, until the block ends. ``console`` is the address of the console that it knows."""
    shutil.copy(SOURCES / "provider.mjs", INSTALLED)
    words = ["node", str(INSTALLED / "provider.mjs"), console + BACK, str(lasts_s)]
    process = subprocess.Popen(words, cwd=INSTALLED, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        issuer = next(line.strip() for line in process.stdout if line.startswith("http"))
        yield issuer
    finally:
        process.terminate()
        process.wait()


def sign_in_there(browser: httpx.Client, address: str, login: str, console: str) -> str:
    """Goes through the provider's pages as somebody would; returns where it sends the browser back to."""
    answer = browser.get(address)
    while True:
        if answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            if f"{urlsplit(address).scheme}://{urlsplit(address).netloc}" == console:
                return address
            answer = browser.get(address)
            continue
        form = FORM.search(answer.text)
        assert form, answer.text
        fields = {name: html.unescape(value) for name, value in HIDDEN.findall(form[2])}
        action = urljoin(str(answer.url), html.unescape(form[1]))
        answer = browser.post(action, data={**fields, "login": login, "password": "any"})
