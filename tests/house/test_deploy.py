"""What `deploy/` and its runbook name is there: commands, settings and addresses."""

import re
import shutil
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

import cli
from app import CLOSING_SECONDS
from bot.channels import CHANNELS
from bot.delivery import leases
from config.settings import Settings
from console.app import LARGEST_BODY
from office import engine

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
DRAIN = engine.DRAIN_SECONDS + leases.DRAIN_SECONDS + CLOSING_SECONDS
OURS = {"serve", "worker", "scheduler"}
AS_FILES = {
    "SHENFA_DATABASE_URL_FILE",
    "SHENFA_REDIS_URL_FILE",
    "SHENFA_OIDC_CLIENT_SECRET_FILE",
}
"""Secrets that `config/settings.py` also reads from a file of that name."""


def of_unit(path: Path) -> list[tuple[str, str]]:
    """Every setting of a unit, comments left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return [(key, value) for key, value in pairs]


def value_of(path: Path, key: str) -> str:
    return dict(of_unit(path))[key]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_calls_a_command_there_is_and_drains(unit: Path) -> None:
    command = value_of(unit, "ExecStart").rsplit("/shenfa ", 1)[1]
    assert command.removesuffix(" --web") in {entry.name for entry in cli.COMMANDS}
    assert float(value_of(unit, "TimeoutStopSec")) >= DRAIN + 5
    assert value_of(unit, "KillSignal") == "SIGTERM"
    assert value_of(unit, "KillMode") == "mixed", "its children end after it"
    assert value_of(unit, "NoNewPrivileges") == "true"
    assert value_of(unit, "ProtectSystem") == "strict"


def test_there_is_a_unit_for_each_kind_and_none_runs_beside_the_one_that_does_all() -> None:
    many = [unit for unit in UNITS if unit.name != "shenfa.service"]
    called = {value_of(unit, "ExecStart").rsplit("/shenfa ", 1)[1] for unit in many}
    assert called == {"serve --web", "worker", "scheduler"}
    for unit in [*many, DEPLOY / "shenfa.target"]:
        assert value_of(unit, "Conflicts") == "shenfa.service"
    for unit in many:
        assert value_of(unit, "WantedBy") == value_of(unit, "PartOf") == "shenfa.target"


def test_systemd_itself_finds_no_fault_where_there_is_one(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    for path in [*UNITS, DEPLOY / "shenfa.target"]:
        text = path.read_text(encoding="utf-8")
        # What is not on this machine: the program, its user and its settings.
        text = re.sub(r"ExecStart=\S+/shenfa", f"ExecStart={shutil.which('true')}", text)
        text = re.sub(r"(?m)^(User|EnvironmentFile)=.*\n", "", text)
        (tmp_path / path.name.replace("@", "@1")).write_text(text, encoding="utf-8")
    names = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(
        [analyze or "true", "verify", "--man=no", "--recursive-errors=no", *names],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert analyze is None or done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "shenfa" in line]
    assert said == []


def test_every_setting_that_is_named_is_one() -> None:
    known = {f"SHENFA_{name.upper()}" for name in Settings.model_fields} | AS_FILES
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in [*DEPLOY.iterdir(), ROOT / "docs" / "running.md"]
        if path.is_file()
    }
    named = {word for text in texts.values() for word in re.findall(r"\bSHENFA_[A-Z_]+\b", text)}
    named -= {"SHENFA_VERIFY_KEY", "SHENFA_HOME"}
    assert len(named) > 15
    assert named - known == set()


def test_every_setting_has_its_line_in_the_list() -> None:
    listed = (DEPLOY / "README.md").read_text(encoding="utf-8")
    dev = {"dev", "dev_clock_file", "dev_allow"}
    for name in Settings.model_fields.keys() - dev:
        assert f"`SHENFA_{name.upper()}`" in listed, name


def test_the_runbook_calls_commands_there_are() -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    tree: Any = get_command(cli.shenfa)
    called = set(re.findall(r"(?m)(?:`|^|exec serve )shenfa ([a-z]+(?: [a-z]+)?)", text))
    assert {"serve", "worker", "scheduler", "doctor"} <= called
    for words in called:
        group, _, name = words.partition(" ")
        assert group in tree.commands, words
        inner = getattr(tree.commands[group].load(), "commands", None)
        assert inner is None or not name or name in inner, words


def test_the_compose_file_runs_each_kind_and_lets_it_drain() -> None:
    services = COMPOSE["services"]
    assert services.keys() >= OURS
    for kind in OURS:
        one = services[kind]
        assert one["command"] == ["serve", "--web"] if kind == "serve" else [kind]
        assert one["stop_signal"] == "SIGTERM"
        assert float(one["stop_grace_period"].removesuffix("s")) >= DRAIN + 5
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
    assert services["serve"]["deploy"]["replicas"] > 1
    assert services["worker"]["deploy"]["replicas"] > 1


def test_postgresql_lets_in_as_many_connections_as_all_processes_may_open() -> None:
    services = COMPOSE["services"]
    processes = sum(services[kind]["deploy"]["replicas"] for kind in OURS)
    each = int(services["worker"]["environment"]["SHENFA_DATABASE_CONNECTIONS"])
    said = " ".join(services["postgres"]["command"])
    most = int(re.findall(r"max_connections=(\d+)", said)[0])
    assert processes * each + services["scheduler"]["deploy"]["replicas"] + 10 <= most


def test_only_the_proxy_is_reached_from_outside_and_it_alone_is_believed() -> None:
    services = COMPOSE["services"]
    assert {name for name, one in services.items() if "ports" in one} == {"proxy"}
    assert services["proxy"]["ports"] == ["80:80", "443:443"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert services[name]["networks"] == ["inside"]
    subnet = COMPOSE["networks"]["outside"]["ipam"]["config"][0]["subnet"]
    trusted = services["serve"]["environment"]["SHENFA_TRUSTED_PROXIES"]
    assert ip_network(trusted) == ip_network(subnet)


def test_redis_refuses_rather_than_forgets_what_is_waited_for() -> None:
    command = COMPOSE["services"]["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_proxy_passes_on_what_the_callbacks_need() -> None:
    (pattern,) = re.findall(r"location ~ (\S+) \{", NGINX)
    for platform in CHANNELS:
        assert re.match(pattern, f"/{platform}/qinghe"), platform
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in NGINX
    assert "X-Telegram-Bot-Api-Secret-Token $http_x_telegram_bot_api_secret_token;" in NGINX
    size = int(re.findall(r"client_max_body_size (\d+)m;", NGINX)[0])
    assert size * 1024 * 1024 >= LARGEST_BODY
    for hidden in ("/metrics", "/readyz"):
        assert re.search(rf"location = {hidden}\s+\{{ return 404; \}}", NGINX)
    assert "server serve:8420" in NGINX
    assert COMPOSE["services"]["serve"]["environment"]["SHENFA_PORT"] == "8420"


def test_no_secret_gets_into_the_image_or_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    for name in ("deploy/secrets", "deploy/tls"):
        assert f"{name}/" in ignored
        assert name in left_out
