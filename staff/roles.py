"""The roles people hold, and which of them review."""

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
