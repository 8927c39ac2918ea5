"""Accounts on WeChat and Telegram: what comes in, what goes out, and what became of it."""
