"""Examples for openapi.json, each of them run against an office (tests/console/test_examples.py).

What an address names is there in place of its example: of an item one that may be acted on.
"""

from collections.abc import Mapping
from typing import Any

PLACES: Mapping[str, str] = {
    "account": "qinghe-wx",
    "article": "01m8jz3q4w8t0v6x2y4z6a8c0e",
    "item": "01m8jz3q4w8t0v6x2y4z6a8c0d",
    "key": "greeting",
    "login": "editor",
    "name": "calendar",
    "period": "2026Q4",
    "policy": "us4ofpfwrru2xro2nfetsetf66",
    "publication": "01m8jz3q4w8t0v6x2y4z6a8c0f",
    "rule": "wording.typo",
    "source": "01m8jz3q4w8t0v6x2y4z6a8c0g",
    "ticket": "01m8jz3q4w8t0v6x2y4z6a8c0h",
}
"""By the name of a part of an address."""
BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /items": {
        "kind": "原创",
        "title": "图书馆延长开放时间",
        "body": "县图书馆自下周起每天开放到晚上九点。",
        "audience": {"topics": ["culture"], "groups": [], "regions": []},
    },
    "POST /items/{item}/revisions": {"version": 2, "title": "图书馆开放到晚上九点"},
    "POST /items/{item}/notes": {"text": "请再核对开放时间"},
    "POST /items/{item}/recall": {"reason": "时间写错了，先撤下", "why": "error"},
    "POST /items/{item}/correct": {
        "title": "更正：图书馆开放时间",
        "body": "县图书馆自下周起每天开放到晚上八点半。",
    },
    "POST /items/{item}/experts": {
        "organisation": "县图书馆",
        "question": "开放时间从哪一天起算？",
        "days": 3,
    },
    "POST /sources": {
        "organisation": "青禾县图书馆",
        "hosts": ["lib.qinghe.example"],
        "basis": "青禾县文旅局授权转载函",
    },
    "POST /sources/check": {"url": "https://rsj.qinghe.example/gsgg/202611/t1.html"},
    "POST /proposals": {
        "kind": "policy",
        "payload": {
            "title": "青禾县公共图书馆服务办法",
            "text": "第一条 图书馆免费开放。\n第二条 本办法自公布之日起施行。",
            "doc_number": "青政办发〔2026〕30号",
            "issuer": "青禾县人民政府办公室",
            "issued_on": "2026-11-20",
        },
        "reason": "文件已经公布，入库",
    },
    "POST /proposals/preview": {
        "kind": "policy",
        "payload": {"title": "青禾县停车管理办法", "text": "第一条 路边停车前一小时免费。"},
    },
    "POST /subscribers/count": {
        "audience": {"topics": ["employment"], "groups": [], "regions": []},
        "accounts": ["qinghe-wx"],
    },
    "POST /escalations/{ticket}/note": {"text": "已问过县人社局，下午答复"},
    "POST /switches": {"name": "push", "stopped": True, "reason": "核对名单，先停推送"},
    "POST /incidents": {"kind": "wrong", "words": "一篇稿件写错了领导职务"},
    "POST /workplan": {
        "text": "（一）做好就业信息公开。\n（二）做好消费政策公开。",
        "due_at": "2030-12-31T18:00:00+08:00",
    },
}
"""By method and address; a body that is taken as it stands."""
