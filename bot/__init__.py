"""Accounts on WeChat and Telegram: what comes in, what goes out, and what became of it.

A platform's own rules are cited by number, as in (W7): see docs/platforms.md.
"""
