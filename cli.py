"""`shenfa`: one line for each command; its file is loaded when it is called."""

import logging
import sys

import typer

from commands.lines import fail
from commands.loading import Entry, Tree, when_loaded
from config.faults import Fault
from config.scrubbing import Scrubbing, scrub_line

COMMANDS = (
    Entry("check", "check", "五关检查文稿、文件、文件夹：有必须改的问题时退出码为 1。"),
    Entry("tag", "tag", "给文本打主题、人群、地区、行业、文种标签（--jsonl）。"),
    Entry("extract", "extract", "从网页文件或网址提取标题、日期、来源、正文（--jsonl）。"),
    Entry("ask", "ask", "从政策库逐字引用回答（--library 文件）。"),
    Entry("init", "running", "初始化：建库、建钥、写入创世条目；打印地址和密码（只此一次）。"),
    Entry("serve", "running", "启动：控制台、接口、平台回调，以及全部定时任务。"),
    Entry(
        "worker",
        "running",
        "启动一个工作进程：发布、推送、补发答复；可以有多个，需要 PostgreSQL 和 Redis。",
    ),
    Entry(
        "scheduler",
        "running",
        "启动调度进程：到点叫工作进程动手；可以有多个，只有一个在做，其余待命。",
    ),
    Entry("sandbox", "sandbox", "单独启动沙箱平台（微信、Telegram、样例稿源站）。"),
    Entry("demo", "demo", "演示：一篇文章从稿源到市民，一个问题到它的答复。"),
    Entry("bench", "bench", "测速：每个指标一行 JSON，附同一次运行里最短代码的时间。"),
    Entry("backup", "upkeep", "备份：数据库（含媒体）和锚定文件，加密，不含密钥；运行中也可以做。"),
    Entry("restore", "upkeep", "恢复到空的数据目录，并在台账里登记这次恢复和丢失的条目。"),
    Entry("doctor", "upkeep", "体检：有不通过的项目时退出码为 1。"),
    Entry("ledger", "ledger", "台账：导出、核验、锚定"),
    Entry("report", "report", "报表：自查、年报、归档，离线重算"),
    Entry("witness", "witness", "见证：上级或档案馆会签台账走到哪里"),
    Entry("item", "item", "稿件：从文件导入"),
    Entry("library", "library", "政策库：录入、查看、废止、代替、修改、更正"),
    Entry("entry", "entries", "问答：查看、起草、停用，起草更正告知"),
    Entry("question", "questions", "核对问题：查看、加入，提出去掉"),
    Entry("levels", "levels", "审核级次：查看、检查、提出变更"),
    Entry("rules", "rules", "规则：查看、试算、提出变更、恢复旧版"),
    Entry("staff", "staff", "人员：查看、提出变更、值班提醒、停用、离岗、重设密码、确认本人"),
    Entry("account", "accounts", "账号：查看、试用、设菜单、换密钥、备案、暂停、关停"),
    Entry(
        "organisation",
        "organisations",
        "单位：查看上下级，提出增加、改名、换上级，定人员属于哪个单位",
    ),
    Entry("roster", "roster", "值班表：查看、提出变更"),
    Entry("consult", "consult", "意见征集：查看、提出"),
    Entry("settings", "settings", "运行设置：查看、提出变更"),
    Entry("topics", "topics", "订阅主题：人数、增减、静默、退订原因；audit 找收不到的"),
    Entry("proposals", "proposals", "待批准的变更：查看、批准、不批准、收回"),
    Entry("source", "sources", "稿源：名单、核对、试读、导入、监测"),
    Entry("eval", "evals", "在标注数据上评测"),
)


class _Shenfa(Tree):
    """The top of the tree."""

    entries = COMMANDS


shenfa = typer.Typer(
    cls=_Shenfa, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@shenfa.callback(help="")
def top() -> None:
    """The commands stand in COMMANDS; Typer wants one of its own to make a tree at all."""


def log_to_stderr() -> None:
    """Lines of JSON; nothing to do as long as nothing is loaded that can log."""
    # What libraries say by themselves goes there too.
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Scrubbing())
    # Not imported for its own sake: `--help` must not pay for it.
    if structlog := sys.modules.get("structlog"):
        told = structlog.processors
        structlog.configure(
            processors=[
                told.add_log_level,
                told.TimeStamper(fmt="iso"),
                told.format_exc_info,
                told.JSONRenderer(ensure_ascii=False),
                scrub_line,
            ],
            logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        )


def main() -> None:
    """Entry point: bad input is one line on stderr and exit 2."""
    when_loaded(log_to_stderr)
    try:
        shenfa()
    # What a person gave is told in one line; anything else is a bug and keeps its trace.
    except Fault as fault:
        fail(str(fault))


if __name__ == "__main__":
    main()
