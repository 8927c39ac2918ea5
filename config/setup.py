"""What an office starts with: one validated YAML file for `shenfa init`, the demo and the tests.

Here stand the form of the file and its first example; `config/setup_faults.py` says in words what
breaks the form, `office/setup_check.py` what does not fit together.
"""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from config.faults import Fault

EXAMPLE = Path(__file__).parent / "setup.example.yaml"
"""The commented file `shenfa init --example` writes."""
FILL_IN = "请填写"
"""What a value begins with that is still to be filled in."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StaffSetup(_Strict):
    """A person. Without a password one is made and printed once.

    `alarm` are the ways they are called when they are on duty, in order: each names one kind with
    its address, and the `account` it leaves by when an office has several of that kind.
    """

    login: str = Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")
    name: str = Field(min_length=1)
    roles: list[str] = Field(min_length=1)
    password: str | None = None
    alarm: list[dict[str, str | int]] = Field(default_factory=list)


class AccountSetup(_Strict):
    """An account on one platform; `api_base` is the platform's address."""

    slug: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    platform: str
    name: str = Field(min_length=1)
    api_base: str
    secrets: dict[str, str]
    settings: dict[str, str | int | float | bool] = Field(default_factory=dict)
    assessment_ref: str = ""
    owner: str = ""


class ColumnSetup(_Strict):
    """A feed or a list page; selectors where generic detection is not enough."""

    name: str = Field(min_length=1)
    url: str
    kind: str = Field(pattern="^(feed|list|sitemap|opendata)$")
    selectors: dict[str, str] = Field(default_factory=dict)
    every_minutes: int = Field(default=30, ge=1)


class SourceSetup(_Strict):
    """A determined 稿源单位 with its proof."""

    organisation: str = Field(min_length=1)
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
    tier: int = Field(default=0, ge=0, le=9)


class Setup(_Strict):
    """The whole file. `levels` (class to definition) replaces single classes of workflows.yaml.

    `policies` are files of the library; `calendar` replaces single fields of calendar.yaml. From
    `second_factor_from` on, admins and reviewers need a second step to sign in.
    """

    organisation: str = Field(min_length=1)
    staff: list[StaffSetup] = Field(min_length=1)
    accounts: list[AccountSetup] = Field(default_factory=list)
    sources: list[SourceSetup] = Field(default_factory=list)
    roster: list[RosterSetup] = Field(default_factory=list)
    policies: list[str] = Field(default_factory=list)
    levels: dict[str, dict[str, object]] = Field(default_factory=dict)
    calendar: dict[str, object] = Field(default_factory=dict)
    quiet_hours: bool = True  # false: pushes leave at night too, for plays and trials
    second_factor_from: date | None = None  # at most a week from now, which is also the default


class SetupError(Fault, ValueError):
    """A setup file that cannot be used; each line names a field, what is wrong and the remedy."""

    def __init__(self, *lines: str) -> None:
        """Every fault that was found, a line each."""
        super().__init__("；".join(lines))
        self.lines = lines
