"""Ports that no other test process takes between the look for a free one and its use."""

import os


def own(ports: range) -> range:
    """The part of these that belongs to this one of the test processes."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % count
    each = len(ports) // count
    return ports[number * each : (number + 1) * each]
