"""Every command, whatever file it is given and whatever server is away: a sentence and a documented exit status.

The commands and their file arguments are those of the program itself, so a new one is tried as well.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main

from cli.main import huzhu as program
from cli.main import main
from infra.keys.personal_data import add_key
from tests.support.builders import discharge, encode
from tests.support.paths import MAPPING_FILE, SELF_PAY_TREATY, WUXI

DOCUMENTED = {0, 1, 2, 3, 75}
AWAY = {
    "HUZHU_DATABASE_URL": "postgresql://huzhu:secret@127.0.0.1:1/huzhu",
    "HUZHU_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "HUZHU_RETRY_ATTEMPTS": "1",
    "HUZHU_RETRY_WAIT": "0.01",
}
SECRET = "张三"
"""What no message may quote from a file."""

VALUES = {
    "operator": "li.na",
    "reason": "because",
    "facility": "H1",
    "name": "li.na",
    "year": "2024",
    "policy": str(WUXI),
}
"""Values of required parameters, by name; others get one by their type."""

ALSO = {
    "huzhu keys create": ["--facility", "H1"],
    "huzhu explain --facts": ["--policy", str(WUXI)],
    "huzhu explain --policy": ["--facts", "FACTS"],
    "huzhu simulate": ["--facts", "FACTS"],
    "huzhu simulate --facts": [],
    "huzhu post --mapping": ["--format", "national", "--check"],
    "huzhu audit verify": ["--chain-only"],
    "huzhu audit verify --checkpoint": ["--key", "KEY"],
    "huzhu audit verify --key": [],
    "huzhu deadletter replay": ["1"],
    "huzhu audit keygen": ["--name", "wuxi.example/huzhu"],
}
"""What a call needs besides its required parameters; for a parameter alone where its name follows."""

FILES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.touch(),
    "a folder": lambda path: path.mkdir(),
    "in no folder": lambda path: path.parent.touch(),
    "unreadable": lambda path: path.symlink_to("/proc/self/mem"),
    "binary": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20),
    "Parquet cut short": lambda path: path.write_bytes(b"PAR1" + bytes(range(256)) * 20),
    "a huge line": lambda path: path.write_bytes(b"x" * 9 * 1024 * 1024),
    "GB 18030": lambda path: path.write_bytes(f"person_id,name,phone\nP1,{SECRET},1\n".encode("gb18030")),
}


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(group, "commands", None)
    if inner is None:
        yield name, group
        return
    for part, each in inner.items():
        yield from commands(each, f"{name} {part}")


def kind_of(parameter: Any) -> Any:
    """The type of a parameter's value, or of each of its values."""
    annotation = parameter.type_descriptor.annotation if hasattr(parameter, "type_descriptor") else str
    inner = [each for each in get_args(annotation) if each is not type(None)]
    return inner[0] if inner else annotation


COMMANDS = dict(commands(typer.main.get_command(program()), "huzhu"))
GIVEN = [
    (name, parameter.name)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if kind_of(parameter) is Path and name != "huzhu servers"  # it would start servers, and stay
]


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(encode(discharge()) + b"\n")
    return file


def value_of(name: str, parameter: Any, facts: Path) -> str:
    """A value for a parameter of the command of that name."""
    if parameter.name in VALUES:
        return VALUES[parameter.name]
    kind = kind_of(parameter)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(next(iter(kind)).value)
    if kind is Path:
        rules = SELF_PAY_TREATY if name.startswith("huzhu treaty ") else WUXI
        return str(rules if parameter.name in ("files", "file", "before", "after") else facts)
    return "1" if kind is int else "x-1"


def call(name: str, facts: Path, tried: str = "", file: Path | None = None) -> list[str]:
    """The words of a call with all that is required, and ``file`` as its parameter ``tried``."""
    words, arguments = name.split()[1:], []
    key = f"{name} --{tried}"
    for word in ALSO.get(key, ALSO.get(name, [])):
        words.append({"FACTS": str(facts), "KEY": str(facts)}.get(word, word))
    for parameter in COMMANDS[name].params:
        chosen = (
            str(file) if parameter.name == tried else value_of(name, parameter, facts) if parameter.required else None
        )
        if chosen is None or (parameter.name == "numbers" and "1" in words):
            continue
        if parameter.param_type_name == "argument":
            arguments.append(chosen)
        else:
            words += [parameter.opts[0], chosen]
    return [*words, *arguments]


class Caller:
    """Calls the program within this process, which is quick, with servers away and a good key file."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], folder: Path
    ) -> None:
        self._patch, self._written = monkeypatch, capfdbinary
        keys = folder / "console.keys"
        add_key(keys)
        for name in [name for name in os.environ if name.startswith("HUZHU_")]:
            monkeypatch.delenv(name)
        for name, value in {**AWAY, "HUZHU_CONSOLE_KEY_FILE": str(keys)}.items():
            monkeypatch.setenv(name, value)

    def forget(self, name: str) -> None:
        self._patch.delenv(name)

    def complaint(self, words: list[str], **environment: str) -> str | None:
        """What is wrong with how a call ended, if anything."""
        for name, value in environment.items():
            self._patch.setenv(name, value)
        self._patch.setattr("sys.argv", ["huzhu", *words])
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a long and good password\n")))
        self._written.readouterr()
        status: object = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        except Exception as error:  # noqa: BLE001 - what reaches a person as a traceback
            return f"{words}: {type(error).__name__}: {error}"[:600]
        said = self._written.readouterr().err.decode()
        if status not in DOCUMENTED or "Traceback" in said:
            return f"{words}: status {status}: {said[-600:]}"
        if status and not said.strip():
            return f"{words}: status {status} without a word"
        return f"{words}: quotes what is secret" if SECRET in said or "secret" in said else None


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Caller:
    return Caller(monkeypatch, capfdbinary, tmp_path)


KAFKA_IS_WAITED_FOR = pytest.mark.prove
"""Half a minute, or a whole one."""


@pytest.mark.parametrize(("name", "tried"), GIVEN)
def test_whatever_file_is_given(name: str, tried: str, tmp_path: Path, facts: Path, caller: Caller) -> None:
    """Missing, empty, a folder, unreadable, binary, a huge line, another encoding: never a traceback."""
    wrong = []
    for kind, make in FILES.items():
        folder = tmp_path / kind.replace(" ", "-")
        file = folder / "given" if kind == "in no folder" else folder
        make(file)
        wrong.append(caller.complaint(call(name, facts, tried, file)))
    assert [] == [each for each in wrong if each]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=KAFKA_IS_WAITED_FOR) if " topics " in name else name for name in COMMANDS]
)
def test_without_a_ledger(name: str, facts: Path, caller: Caller) -> None:
    """With all that it requires, but nobody at the ledger's address: done without it, or a sentence and a status."""
    if name in ("huzhu servers", "huzhu generate", "huzhu post", "huzhu contracts write", "huzhu contracts release"):
        pytest.skip("needs no ledger")
    assert caller.complaint(call(name, facts), HUZHU_CACHE_DIR=str(facts)) is None


SETTINGS = {
    "HUZHU_AUDIT_KEY_FILE": ("audit", "sign", "--once"),
    "HUZHU_CONSOLE_KEY_FILE": ("people", "rotate", "--operator", "li.na"),
    "HUZHU_NATIONAL_MAPPINGS": ("post", "--format", "national", "--check", str(MAPPING_FILE)),
    "HUZHU_SETTINGS_FILE": ("policy", "show"),
    "HUZHU_DATABASE_URL_FILE": ("policy", "show"),
    "HUZHU_KAFKA_SASL_PASSWORD_FILE": ("topics", "check"),
    "HUZHU_KAFKA_CA": ("topics", "check"),
}


@pytest.mark.parametrize(
    "setting", [pytest.param(name, marks=KAFKA_IS_WAITED_FOR) if "PASSWORD" in name else name for name in SETTINGS]
)
def test_whatever_file_a_setting_names(setting: str, tmp_path: Path, caller: Caller) -> None:
    """The same for the files of settings; the status is 2, or 75 where the file is good enough to go on."""
    more = {"HUZHU_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "HUZHU_KAFKA_SASL_USERNAME": "u"} if "KAFKA" in setting else {}
    if setting == "HUZHU_KAFKA_CA":
        more["HUZHU_KAFKA_SASL_PASSWORD"] = "p"
    if setting == "HUZHU_DATABASE_URL_FILE":
        caller.forget("HUZHU_DATABASE_URL")
    wrong = []
    for kind, make in FILES.items():
        folder = tmp_path / kind.replace(" ", "-")
        file = folder / "given" if kind == "in no folder" else folder
        make(file)
        wrong.append(caller.complaint([*SETTINGS[setting]], **{setting: str(file), **more}))
    assert [] == [each for each in wrong if each]
