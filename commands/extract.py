"""`shenfa extract`: title, dates, source and body of web pages, line by line."""

import asyncio
from typing import Annotated

import typer

from commands.lines import only_jsonl, run_filter
from commands.loading import new_group
from commands.options import Jsonl
from config.settings import Settings
from content_sources.fetch import Fetcher
from content_sources.records import extract_record, fetch_record

group = new_group("提取网页")


@group.command()
def extract(
    *,
    jsonl: Jsonl = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="按每行的 url 抓取网页")] = False,
) -> None:
    """从网页文件或网址提取标题、日期、来源、正文（--jsonl）。"""
    only_jsonl(jsonl=jsonl)
    if not fetch:
        run_filter(extract_record)
        return
    with asyncio.Runner() as loop:
        fetcher = Fetcher(Settings().allowed_private)
        run_filter(lambda record: loop.run(fetch_record(record, fetcher)))
        loop.run(fetcher.close())
