"""A few processes of their own for the checks, each with a limit of time.

A check that takes too long is killed with its process: nothing else stops a regular expression,
and no thread of the office waits for one. A process that was killed is replaced at its next use.
"""

import asyncio
import logging
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.forkserver import ensure_running
from queue import SimpleQueue
from tempfile import gettempdir
from typing import Any

from config.child_environment import only_needed
from gates.work import Asked, NotDone, Work
from gates.worker import READY, serve

SECONDS = 5.0  # of one check
WORKERS = 2
_LOADING = 60.0  # seconds in which a rule set or a library is made ready in a new process
_LONGEST_TMPDIR = 75  # bytes: a socket of the processes lies below, and its name has 107 at most
_QUEUED = 20.0  # seconds a check waits at most for others and for itself

_LOG = logging.getLogger("shenfa.gates")
_BROKEN = (EOFError, OSError)


class Pool:
    """Work in processes. Nothing starts before the first check."""

    def __init__(
        self, *, seconds: float = SECONDS, workers: int = WORKERS, preload: tuple[str, ...] = ()
    ) -> None:
        """`preload` names modules that work is found in, beside the gates themselves."""
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["gates.worker", *preload])
        # Each process has a thread that waits for it, so that no shared thread does.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="gates")
        self._slots = [_Slot(self._context, seconds) for _ in range(workers)]
        self._free: SimpleQueue[_Slot] = SimpleQueue()
        for slot in self._slots:
            self._free.put(slot)
        self._closed = False

    async def run(self, work: Work) -> Any:
        """Its result; NotDone when it took too long, or its process could not do it."""
        if self._closed:
            raise NotDone("check-failed", "检查程序已停止，请稍后再试")
        waiting = asyncio.get_running_loop().run_in_executor(self._threads, self._one, work)
        try:
            return await asyncio.wait_for(waiting, _QUEUED)
        except TimeoutError as error:
            words = "检查超时：正在检查的内容太多，请稍后再打开本页"
            raise NotDone("check-timeout", words) from error

    def _one(self, work: Work) -> Any:
        # As many slots as threads: one is free whenever a thread is.
        slot = self._free.get()
        try:
            return slot.run(work)
        finally:
            self._free.put(slot)

    async def close(self) -> None:
        """End every process, busy or not."""
        self._closed = True
        for slot in self._slots:
            slot.end(for_good=True)
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for slot in self._slots:
            slot.end()


class _Slot:
    """One process at most, and what it has at hand."""

    def __init__(self, context: Any, seconds: float) -> None:
        self._context = context
        self._seconds = seconds
        self._process: Any = None
        self._pipe: Connection | None = None
        self._kept: dict[str, str] = {}
        self._over = False

    def run(self, work: Work) -> Any:
        """The result; a process that was found dead is replaced once."""
        for last in (False, True):
            try:
                return self._run(work)
            except _BROKEN as error:
                self.end()
                if last or self._over:
                    _LOG.warning("a check ended its process: %s", type(error).__name__)
                    words = "检查没有完成：检查程序异常退出，请稍后再试；仍不行请删减内容后再试"
                    raise NotDone("check-failed", words) from error
        raise AssertionError  # the loop returns or raises

    def _run(self, work: Work) -> Any:
        pipe = self._opened()
        for held in work.held:
            if self._kept.get(held.kind) != held.key:
                self._kept.pop(held.kind, None)
                self._ask(pipe, replace(held, here=None), _LOADING)
                self._kept[held.kind] = held.key
        told = Asked(replace(work, held=()), tuple(held.kind for held in work.held))
        return self._ask(pipe, told, self._seconds)

    def _ask(self, pipe: Connection, message: object, seconds: float) -> Any:
        pipe.send(message)
        if not pipe.poll(seconds):
            self.end()
            _LOG.warning("a check took more than %.0f seconds", seconds)
            words = f"检查超时：没有在 {seconds:.0f} 秒内查完，请删减或拆分后再提交"
            raise NotDone("check-timeout", words)
        well, answer = pipe.recv()
        if not well:
            # The words may hold a piece of the text: the log keeps only what kind of error it was.
            _LOG.error("a check failed: %s", str(answer).partition(":")[0])
            raise NotDone("check-failed", "检查没有完成：检查程序出错，请告诉管理员查看日志")
        return answer

    def _opened(self) -> Connection:
        if self._over:
            raise EOFError
        if len(os.fsencode(gettempdir())) > _LONGEST_TMPDIR:
            words = "检查程序不能启动：临时目录的名字太长，请把环境变量 TMPDIR 改短后重新启动"
            raise NotDone("check-failed", words)
        if self._pipe is None or not self._process.is_alive():
            self.end()
            ours, theirs = self._context.Pipe()
            limits = (self._seconds, _LOADING)
            process = self._context.Process(target=serve, args=(theirs, *limits), daemon=True)
            # Workers are forked from a server that inherits all it is started with.
            with only_needed():
                ensure_running()
            process.start()
            # Closed here, or the end of the process would not be seen on our side.
            theirs.close()
            self._process, self._pipe = process, ours
            # What it has to load first is no part of the check that waits for it.
            if not ours.poll(_LOADING) or ours.recv() != READY:
                raise EOFError
        return self._pipe

    def end(self, *, for_good: bool = False) -> None:
        """Kill the process; the thread that waits for it sees its pipe end."""
        self._over = self._over or for_good
        process, pipe = self._process, self._pipe
        if process is not None:
            process.kill()
        # A pipe somebody waits on is left to them: its other end is gone.
        if pipe is not None and not for_good:
            pipe.close()
            self._process = self._pipe = None
            self._kept = {}
