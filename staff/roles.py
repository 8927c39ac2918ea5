"""The roles people hold, and which of them review."""

from collections.abc import Collection

from staff.refusal import Reason

ROLES = {
    "editor": "编辑",
    "reviewer_1": "初审",
    "reviewer_2": "复审",
    "reviewer_3": "终审",
    "secrecy": "保密",
    "admin": "管理员",
    "duty": "值班",
    "supervisor": "监督",
    "auditor": "审计",
}

REVIEWERS = frozenset({"reviewer_1", "reviewer_2", "reviewer_3", "secrecy"})
"""Roles that may stand in a level at all."""


def role_fault(wanted: Collection[str]) -> Reason:
    """The sentence for somebody who holds none of these roles."""
    names = "、".join(label for role, label in ROLES.items() if role in wanted)
    return Reason("role", f"您的角色不能做这件事，需要以下角色之一：{names}")
