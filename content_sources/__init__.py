"""Determined sources: whitelist, safe fetch, extraction, snapshots."""
