"""Measurements: each names its work, its figure, and what the shortest specialist code takes."""
