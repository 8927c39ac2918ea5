"""Style and script files: our own, and the editor's library as its package brings it.

The library is one built file of an installed package (docs/decisions/0038); nothing else of the
package is looked at, and nothing is fetched from another host. Scripts that import each other carry
the version in their path, so that an import leads to files of the same version.
"""

import asyncio
import gzip
import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from console.web.permissions import PUBLIC, needs

HERE = Path(__file__).parents[1] / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES = {path.name: path for path in HERE.iterdir() if path.suffix in _TYPES}
_PACKAGE, _LIBRARY = "django_prose_editor", "prose-editor.js"


def library(package: str = _PACKAGE) -> Path | None:
    """The built editor of the package; None where it is not installed."""
    found = importlib.util.find_spec(package)  # finds the folder and runs nothing of it
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "static" / package / "editor.js"
        if path.is_file():
            return path
    return None


if (_EDITOR := library()) is not None:
    _FILES[_LIBRARY] = _EDITOR

HAS_EDITOR = _EDITOR is not None
"""Whether texts can be written in the editor; otherwise in a plain box."""


def fingerprint() -> str:
    """One name for the present version of all files."""
    parts = b"".join(path.read_bytes() for _, path in sorted(_FILES.items()))
    return hashlib.sha256(parts).hexdigest()[:12]


@lru_cache(maxsize=32)
def _packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6, mtime=0)


@needs(PUBLIC)
async def static_file(request: web.Request) -> web.StreamResponse:
    """A style or script file, cached by its fingerprint."""
    # Only names known at the start: nothing of the address reaches the file system.
    path = _FILES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(_packed, path)
        headers["Content-Encoding"] = "gzip"
    else:
        body = path.read_bytes()
    return web.Response(
        body=body, content_type=_TYPES[path.suffix], charset="utf-8", headers=headers
    )


ROUTES = [
    web.get("/static/{name}", static_file),
    web.get("/static/{version:[0-9a-f]{12}}/{name}", static_file),
]
