"""`shenfa demo`: play one article's whole life and one question's, then hand the office on."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from demo.acts import (
    article,
    citizens,
    delivered,
    leave_one_waiting,
    policies,
    prove_ledger,
    publish,
    questions,
    review,
    settled,
    tamper,
    tell,
)
from demo.cast import CAST, CITIZENS, EXAMPLES
from demo.platforms import Failed
from demo.stage import PLAYED, SENDING, Result, Stage, open_stage
from review_queue.workflow import GATES
from staff.refusal import Refused

EMPTY: Result = {
    "ok": False,
    "articles": None,
    "refused_sources": None,
    "findings": None,
    "decisions": None,
    "publications": None,
    "delivered": None,
    "answered": None,
    "escalated": None,
    "tamper_refused": None,
    "ledger_ok": None,
    "seconds": None,
    "error": None,
}
INTERRUPTED = "收到停止信号，没有演完"


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    home: Path | None = None
    once: bool = False
    fresh: bool = False
    sandbox: str | None = None


async def run(options: Options) -> int:
    """Play; with `once` print the JSON line and leave, else stay up. Returns the exit code."""
    started = time.monotonic()
    result = dict(EMPTY)
    temporary = (
        Path(tempfile.mkdtemp(prefix="shenfa-demo-")) if options.once and not options.home else None
    )
    home = (temporary or options.home or Path("./.shenfa-demo")).absolute()
    stopped = False
    try:
        async with open_stage(home, options.sandbox, fresh=options.fresh) as stage:
            tell(f"沙箱平台：{stage.sandbox.url}")
            await play(stage, result)
            result["seconds"] = round(time.monotonic() - started, 1)
            result["ok"] = all_well(result)
            if not options.once:
                await leave_one_waiting(stage)
                introduce(stage)
                await asyncio.Event().wait()
    except asyncio.CancelledError:  # told to stop; by now everything on its way has an outcome
        stopped = True
        result["error"] = INTERRUPTED if options.once else None
    except (Failed, Refused) as failure:
        result["error"] = str(failure)
    except (OSError, LookupError, ValueError, RuntimeError, aiohttp.ClientError) as failure:
        result["error"] = f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    result["seconds"] = round(time.monotonic() - started, 1)
    if result["error"]:
        tell(f"演示中断：{result['error']}")
    elif stopped:
        tell("演示已停止：目录和消息都保留，再运行一次就接着用。")
    if options.once:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        return 0 if result["ok"] else 1
    return 0 if stopped else 1


def all_well(result: Result) -> bool:
    """Whether every part of the play came out as it must."""
    found, out, sent = result["findings"], result["publications"], result["delivered"]
    return bool(
        result["articles"]
        and result["refused_sources"]
        and found
        and all(found[gate] >= 1 for gate in GATES)
        and result["decisions"] == 3
        and out == {"wechat": 1, "telegram": 1}
        and sent["sent"] == 2 * CITIZENS
        and not sent["unknown"]
        and not sent["failed"]
        and result["answered"]
        and result["escalated"]
        and result["tamper_refused"]
        and result["ledger_ok"]
    )


async def play(stage: Stage, result: Result) -> None:
    """Every act in order; a folder that was played before only finishes what was left open."""
    if stage.memo.progress in (SENDING, PLAYED):
        before = "演过" if stage.memo.progress == PLAYED else "演了一半"
        tell(f"这个目录已经{before}：人员、市民和消息都还在，接着来。")
        await settled(stage)
        result["delivered"] = await delivered(stage)
    else:
        await policies(stage)
        await citizens(stage)
        item = await article(stage, result)
        await review(stage, item, result)
        await publish(stage, item, result)
    if stage.memo.progress != PLAYED:
        await questions(stage, result)
        await tamper(stage, result)
        await prove_ledger(stage, result)
        stage.memo.note(progress=PLAYED)


def introduce(stage: Stage) -> None:
    """Where to look now, and four things to try."""
    port = stage.shenfa.settings.port
    lines = [
        "",
        "演示已就绪。每个人有自己的地址，可以同时登录：",
        *(
            f"  {name}  http://{login}.localhost:{port}/console/"
            f"  登录名 {login}  密码 {stage.passwords[login]}"
            for login, name, _ in CAST
        ),
        f"  两部手机  {stage.sandbox.url}/",
        "",
        "可以试：",
        "  1. 用李初审的地址登录：有一篇稿件在等初审，打开它，批准或退回",
        "  2. 在手机上发“订阅消费”，再发“退订”",
        f"  3. 在手机上点一个问题，或者问“{EXAMPLES[0].question}”",
        "  4. 在手机上发“转人工”，用郑值班的地址登录，在“值班”里接手、答复",
        "",
        "按 Ctrl+C 停止；再运行一次，人员、市民和消息都还在。",
    ]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
