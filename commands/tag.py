"""`shenfa tag`: subjects, groups, regions, industries and kinds of a text, line by line."""

from commands.lines import only_jsonl, run_filter
from commands.loading import new_group
from commands.options import Jsonl
from facets.tagger import tag_record

group = new_group("打标签")


@group.command()
def tag(*, jsonl: Jsonl = False) -> None:
    """给文本打主题、人群、地区、行业、文种标签（--jsonl）。"""
    only_jsonl(jsonl=jsonl)
    run_filter(tag_record)
