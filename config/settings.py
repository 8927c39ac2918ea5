"""Settings read from the environment (SHENFA_*), secrets also from NAME_FILE."""

import os
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LONGEST_NAME = 20
CONFIG = Path(__file__).parent
"""The folder of starting values that officials decide."""


class Settings(BaseSettings):
    """Everything a deployment chooses. With nothing set, nothing is sent."""

    model_config = SettingsConfigDict(
        env_prefix="SHENFA_",
        extra="ignore",
        hide_input_in_errors=True,  # what is wrong may stand beside a password
    )

    home: Path = Path("./.shenfa")
    database_url: str = ""
    redis_url: str = ""
    ledger_key_file: Path | None = None
    data_key_file: Path | None = None
    anchor_file: Path | None = None
    ledger_anchors: str = ""  # further ones, by commas: a path, mailto:, smtp://, https://
    smtp_host: str = ""
    smtp_port: int = Field(default=25, ge=1, le=65535)
    mail_from: str = ""
    host: str = "127.0.0.1"
    port: int = 8420
    public_url: str = ""
    trusted_proxies: str = ""  # addresses or networks whose X-Forwarded-For is believed, by commas
    metrics_from: str = ""  # addresses or networks that may read /metrics, by commas; none: nobody
    sends_in_flight: int = Field(default=8, ge=1, le=256)
    database_connections: int = Field(default=30, ge=5, le=1000)  # of each process, at most
    backup_folder: Path | None = None
    backup_keep: int = Field(default=14, ge=0, le=3650)  # nightly backups; 0: none is made
    oidc_issuer: str = ""  # the body's own sign-in (OpenID Connect); empty: there is none
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = "单位统一登录"
    dev: bool = False
    dev_clock_file: Path | None = None
    dev_allow: str = ""

    @model_validator(mode="after")
    def _fill(self) -> Self:
        """Give every path its place below the home, and read secrets given as files."""
        home = self.home = self.home.expanduser().absolute()
        self.database_url = (
            self.database_url
            or _secret_file("SHENFA_DATABASE_URL_FILE")
            or f"sqlite+aiosqlite:///{home / 'shenfa.db'}"
        )
        self.redis_url = self.redis_url or _secret_file("SHENFA_REDIS_URL_FILE")
        self.ledger_key_file = self.ledger_key_file or home / "keys" / "ledger.key"
        self.data_key_file = self.data_key_file or home / "keys" / "data.key"
        self.anchor_file = self.anchor_file or home / "anchors.jsonl"
        self.backup_folder = self.backup_folder or home / "backups"
        if not self.dev:
            self.dev_clock_file = None
            self.dev_allow = ""
        self.public_url = self.public_url or f"http://{self.host}:{self.port}"
        if not self.oidc_client_secret.get_secret_value():
            self.oidc_client_secret = SecretStr(_secret_file("SHENFA_OIDC_CLIENT_SECRET_FILE"))
        # What cannot be read is said at the start, not at the first sign-in; all of it at once.
        if wrong := [*self._networks_wrong(), *self._provider_wrong()]:
            raise ValueError("；".join(wrong))
        return self

    def _networks_wrong(self) -> Iterator[str]:
        for name in ("proxies", "watchers"):
            try:
                getattr(self, name)
            except ValueError as error:
                yield str(error)

    def _provider_wrong(self) -> Iterator[str]:
        """Every fault of the body's own sign-in; nothing where none is wanted."""
        secret = self.oidc_client_secret.get_secret_value()
        given = {
            "SHENFA_OIDC_ISSUER": self.oidc_issuer,
            "SHENFA_OIDC_CLIENT_ID": self.oidc_client_id,
            "SHENFA_OIDC_CLIENT_SECRET": secret,
        }
        if not any(given.values()):
            return
        for name, value in given.items():
            if not value.strip():
                yield f"{name}：没有填，单位统一登录要三项都有；不用它就三项都去掉"
        if self.oidc_issuer and not self._is_issuer():
            yield f"SHENFA_OIDC_ISSUER：{self.oidc_issuer} 不是 https 地址，照登录服务给的原样填写"
        if not 0 < len(self.oidc_name.strip()) <= _LONGEST_NAME:
            yield f"SHENFA_OIDC_NAME：写 1 到 {_LONGEST_NAME} 个字，是登录页上按钮的名字"
        near = urlsplit(self.public_url).hostname in ("localhost", "127.0.0.1", "::1")
        if not self.public_url.startswith("https://") and not near:
            yield f"SHENFA_PUBLIC_URL：{self.public_url} 不是 https，登录服务不会把人送回来"

    def _is_issuer(self) -> bool:
        parts = urlsplit(self.oidc_issuer)
        plain = parts.scheme == "http" and parts.netloc in self.allowed_private
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            return False
        return parts.scheme == "https" or plain

    @property
    def grown(self) -> bool:
        """Whether processes of several kinds can share the work, over PostgreSQL and Redis."""
        return bool(self.redis_url) and not self.database_url.startswith("sqlite")

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of `trusted_proxies`; ValueError for what is none."""
        return _networks("SHENFA_TRUSTED_PROXIES", self.trusted_proxies)

    @property
    def watchers(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of `metrics_from`; ValueError for what is none."""
        return _networks("SHENFA_METRICS_FROM", self.metrics_from)

    @property
    def allowed_private(self) -> frozenset[str]:
        """`host:port` pairs of private addresses that development may reach."""
        return frozenset(part.strip() for part in self.dev_allow.split(",") if part.strip())

    @property
    def anchor_paths(self) -> tuple[Path, ...]:
        """The anchor files besides the first one."""
        return tuple(Path(one).expanduser().absolute() for one in self._anchors() if _is_path(one))

    @property
    def anchor_addresses(self) -> tuple[str, ...]:
        """The anchor places that are reached over a network."""
        return tuple(one for one in self._anchors() if not _is_path(one))

    def _anchors(self) -> list[str]:
        return [part.strip() for part in self.ledger_anchors.split(",") if part.strip()]


def _networks(name: str, texts: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(_network(name, part.strip()) for part in texts.split(",") if part.strip())


def _network(name: str, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{name}：{text} 不是地址或网段") from error


def _is_path(place: str) -> bool:
    return not place.startswith(("mailto:", "smtp://", "https://", "http://"))


def _secret_file(name: str) -> str:
    path = os.environ.get(name)
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}：文件 {path} 读不出，请检查路径和权限") from error
