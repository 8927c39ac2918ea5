"""Starts the sandbox alone: python -m sandbox --port P [--host H]."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from sandbox.app import start


async def _run(host: str, port: int) -> None:
    runner, url = await start(host, port)
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(_run(options.host, options.port))


if __name__ == "__main__":
    main()
