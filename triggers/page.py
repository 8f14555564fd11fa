"""`/api/ui`: the page, as static files. They are anonymous, for they hold nothing; what they read of the API is not."""

from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import azure.functions as func

from triggers.answers import etag, is_current
from triggers.callers import is_signed_in_here

_FILES: Final = Path(__file__).with_name("ui")
_INDEX: Final = "index.html"
_KINDS: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
#: Where the index says whether App Service signs people in, so that the page knows whom to ask for a key.
_SIGN_IN: Final = "{sign_in}"
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class File(NamedTuple):
    """A file of the page, with its media type and its ETag."""

    content: bytes
    kind: str
    tag: str


async def show_page(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/ui`, `GET /api/ui/{file}`: the page and its parts."""
    name = req.route_params.get("file") or _INDEX
    if name == _INDEX and req.url.partition("?")[0].endswith("/"):
        # The page names its parts by their way from `/api/ui`.
        return func.HttpResponse(status_code=308, headers={"Location": "../ui"})
    file = _files(is_signed_in_here()).get(name)
    if file is None:
        return func.HttpResponse(status_code=404)
    headers = {**_HEADERS, "ETag": file.tag}
    if is_current(req.headers.get("if-none-match", ""), file.tag):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(file.content, mimetype=file.kind, headers=headers)


@cache
def _files(is_signed_in: bool) -> dict[str, File]:
    """The files by their names; a name that is not among them leads nowhere."""
    found = {}
    for path in (one for one in _FILES.rglob("*") if one.suffix in _KINDS):
        content = path.read_bytes()
        if path.name == _INDEX:
            content = content.replace(_SIGN_IN.encode(), b"entra" if is_signed_in else b"key")
        found[path.name] = File(content, _KINDS[path.suffix], etag(content))
    return found
