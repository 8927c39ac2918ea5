"""Every address there is, asked by nobody and by somebody with every role: heads and no inline."""

import re

from console.web.guard import HEADERS
from staff.roles import ROLES
from tests.console.office import Office, busy_morning, set_roles
from tests.console.test_access import routes

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE
)
KEPT = ("/console/static/",)
"""What may be kept by a browser: the same for everybody, named by its version."""


async def test_every_answer_has_its_heads_and_no_page_anything_inline(office: Office) -> None:
    await busy_morning(office)
    browser = await office.signed_in("editor")
    await set_roles(office, "editor", list(ROLES))
    wrong, pages, asked = [], 0, 0
    looks = {one.path for one in routes(office) if one.method == "GET" and "live" not in one.path}
    for client in (office.client(), browser.client):
        for path in sorted(looks | {"/console/none", "/api/v1/none", "/none"}):
            answer = await client.get(path, allow_redirects=False)
            text = (await answer.read()).decode(errors="replace")
            asked += 1
            lacks = [name for name in HEADERS if name not in answer.headers]
            policy = answer.headers.get("Content-Security-Policy", "")
            if lacks or "unsafe" in policy or "frame-ancestors" not in policy + "; sandbox":
                wrong.append((path, answer.status, lacks, policy))
            kept = answer.headers.get("Cache-Control", "")
            if kept != "no-store" and not path.startswith(KEPT) and answer.status < 300:
                wrong.append((path, answer.status, ["Cache-Control"], kept))
            if answer.content_type == "text/html":
                pages += 1
                if (found := INLINE.search(text)) is not None:
                    wrong.append((path, answer.status, ["inline"], found[0]))
    assert wrong == []
    assert (asked > 200, pages > 60) == (True, True)
