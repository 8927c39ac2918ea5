"""`shenfa demo`: one article's life and one question's, from start to end."""

from typing import Annotated

import structlog
import typer

from commands.loading import new_group
from commands.options import Home
from config.signals import run_until_told
from demo import play

group = new_group("演示")


@group.command("demo")
def demo_command(
    *,
    home: Home = None,
    once: Annotated[bool, typer.Option("--once", help="演一遍就退出")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="从头开始")] = False,
    sandbox_url: Annotated[str | None, typer.Option("--sandbox", help="已启动的沙箱地址")] = None,
) -> None:
    """演示：一篇文章从稿源到市民，一个问题到它的答复。"""
    # What goes well is told in the play's own words.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    options = play.Options(home=home, once=once, fresh=fresh, sandbox=sandbox_url)
    code = run_until_told(play.run(options))
    raise SystemExit(0 if code is None else code)
