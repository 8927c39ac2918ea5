"""Telegram: channel, wire, errors, updates and renderings."""
