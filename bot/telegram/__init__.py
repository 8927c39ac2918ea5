"""Telegram: channel, wire, errors, updates, renderings. (T3) is a row of docs/platforms.md."""
