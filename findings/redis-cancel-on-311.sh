#!/usr/bin/env bash
# redis 8.1.0 on Python 3.11: a task that is cancelled while its command is being written is not
# cancelled. The command is carried out, the task goes on as if nobody had asked it to stop, and
# `task.cancel()` had said True.
#
# Seen: every command is written inside `asyncio.wait_for(…, socket_timeout)`, also when the caller
# never set a `socket_timeout`, because this version has one by default; and `wait_for` of Python
# 3.11 gives the result and drops the cancel when the write has ended in the same turn of the loop,
# as writes do. With `socket_timeout=None`, and on Python 3.12 and later, every cancel arrives.
# Who meets it: whoever stops a service by `task.cancel(); await task` (or gather): one ticker that
# was just asking Redis goes on for ever and the process never ends. Cancel again until it is done.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import asyncio
import sys
from contextlib import suppress

import redis.asyncio
from redis import __version__


async def answer(reader, writer):
    """A peer that says OK to every command."""
    with suppress(ConnectionError):  # who was cancelled hangs up without waiting
        while line := await reader.readline():
            for _ in range(int(line[1:])):
                await reader.readline()
                await reader.readline()
            writer.write(b"+OK\r\n")
            await writer.drain()
    writer.close()


async def went_on(port, **options):
    """After how many turns of the loop a cancel is lost; each number of turns is tried once."""
    found = []
    for turns in range(8):
        client = redis.asyncio.Redis(port=port, protocol=2, **options)
        await client.ping()
        task = asyncio.create_task(client.set("key", "value"))
        for _ in range(turns):
            await asyncio.sleep(0)
        told = task.cancel()
        await asyncio.wait({task}, timeout=5)
        if told and task.done() and not task.cancelled() and task.exception() is None:
            found.append(turns)
        await client.aclose()
    return found


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    default = await went_on(port)
    endless = await went_on(port, socket_timeout=None)
    print("Python", sys.version.split()[0], "redis", __version__)
    print("cancelled after so many turns of the loop and went on, with the defaults:", default)
    print("the same with socket_timeout=None:", endless)
    assert endless == []
    assert bool(default) == (sys.version_info < (3, 12)), default


asyncio.run(main())
PYTHON
found=no
for python in python3.11 python3.12 python3.13; do
    "$python" -c 'import venv' 2>/dev/null || continue
    "$python" -m venv "$folder/$python"
    "$folder/$python/bin/pip" install --quiet redis==8.1.0
    "$folder/$python/bin/python" "$folder/look.py"
    [ "$python" != python3.11 ] || found=yes
done
[ "$found" = yes ] || { echo "python3.11 is needed" >&2; exit 1; }
