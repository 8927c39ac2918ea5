"""What an office starts with: one validated YAML file for `shenfa init`, the demo and the tests."""

from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.faults import Fault


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StaffSetup(_Strict):
    """A person. Without a password one is made and printed once.

    `alarm` are the ways they are called when they are on duty, in order: each names one kind with
    its address, and the `account` it leaves by when an office has several of that kind.
    """

    login: str = Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")
    name: str
    roles: list[str] = Field(min_length=1)
    password: str | None = None
    alarm: list[dict[str, str | int]] = Field(default_factory=list)


class AccountSetup(_Strict):
    """An account on one platform; `api_base` is the platform's address."""

    slug: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    platform: str
    name: str
    api_base: str
    secrets: dict[str, str]
    settings: dict[str, str | int | float | bool] = Field(default_factory=dict)
    assessment_ref: str = ""
    owner: str = ""


class ColumnSetup(_Strict):
    """A feed or a list page; selectors where generic detection is not enough."""

    name: str
    url: str
    kind: str = Field(pattern="^(feed|list|sitemap)$")
    selectors: dict[str, str] = Field(default_factory=dict)
    every_minutes: int = Field(default=30, ge=1)


class SourceSetup(_Strict):
    """A determined 稿源单位 with its proof."""

    organisation: str
    hosts: list[str] = Field(min_length=1)
    allow_http: bool = False
    basis: str = Field(min_length=4)
    list_version: str = ""
    owner: str = ""
    paths: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    picture_licence: str = ""
    valid_from: date
    valid_to: date | None = None
    columns: list[ColumnSetup] = Field(default_factory=list)


class RosterSetup(_Strict):
    """Who is on duty: logins in order; tier 1 and up are asked when tier 0 does not answer."""

    login: str
    topic: str = ""
    tier: int = 0


class Setup(_Strict):
    """The whole file. `levels` (class to definition) replaces single classes of workflows.yaml.

    From `second_factor_from` on, admins and reviewers need a second step to sign in.
    """

    organisation: str
    staff: list[StaffSetup] = Field(min_length=1)
    accounts: list[AccountSetup] = Field(default_factory=list)
    sources: list[SourceSetup] = Field(default_factory=list)
    roster: list[RosterSetup] = Field(default_factory=list)
    policies: list[str] = Field(default_factory=list)
    levels: dict[str, dict[str, object]] = Field(default_factory=dict)
    quiet_hours: bool = True  # false: pushes leave at night too, for plays and trials
    second_factor_from: date | None = None  # at most a week from now, which is also the default


class SetupError(Fault, ValueError):
    """A setup file that cannot be used; one line that names file, field and remedy."""


def read_setup(path: Path) -> Setup:
    """Read and check a setup file."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Setup.model_validate(data)
    except OSError as error:
        raise SetupError(f"{path.name}：打不开（{error.strerror}），请检查路径") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f"第 {where.line + 1} 行" if where else "某处"
        raise SetupError(f"{path.name}：{line}不是有效的 YAML，请检查缩进和引号") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SetupError(f"{path.name}：字段 {field} 不对（{first['msg']}），请改正") from error
