"""`/api/ui`: the page, as static files. They are anonymous and contain no data; the API that they read is not."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import azure.functions as func

from triggers.documents.answers import etag, is_current
from triggers.documents.problem_documents import InvalidRequestError, problem_response
from triggers.requests.callers import is_signed_in_here
from triggers.requests.queries import check_parameters

_FILES: Final = Path(__file__).with_name("ui")
_INDEX: Final = "index.html"
_KINDS: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
#: The place in the index that says whether App Service signs users in, so that the page knows whether to ask for a key.
_SIGN_IN: Final = "{sign_in}"
#: The place in the index that lists the modules: otherwise a browser discovers each from the one that imports it.
_MODULES: Final = "{modules}"
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
}
#: The query parameter of a versioned address. The views of the page are in the fragment, which no browser sends.
_VERSION: Final = "v"
#: A versioned address never changes; any other is requested again.
_FOR_EVER, _NEVER = "public, max-age=31536000, immutable", "no-cache"
#: How the page's files refer to one another.
_REFERENCE: Final = re.compile(r'((?:from "\./|(?:src|href)="ui/)[^"?]+)"')


class File(NamedTuple):
    """A file of the page, with its media type and its ETag."""

    content: bytes
    kind: str
    tag: str


async def show_page(req: func.HttpRequest) -> func.HttpResponse:
    """`GET /api/ui`, `GET /api/ui/{file}`: the page and its parts."""
    try:
        check_parameters(req, (_VERSION,))
    except InvalidRequestError as error:
        return problem_response("invalid-request", str(error), error.errors)
    name = req.route_params.get("file") or _INDEX
    if name == _INDEX and req.url.partition("?")[0].endswith("/"):
        # The page refers to its parts relative to `/api/ui`.
        return func.HttpResponse(status_code=308, headers={"Location": "../ui"})
    file = _files(is_signed_in_here()).get(name)
    if file is None:
        return func.HttpResponse(status_code=404)
    is_versioned = req.params.get(_VERSION) == _version()
    headers = {**_HEADERS, "ETag": file.tag, "Cache-Control": _FOR_EVER if is_versioned else _NEVER}
    if is_current(req.headers.get("if-none-match", ""), file.tag):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(file.content, mimetype=file.kind, headers=headers)


@cache
def _files(is_signed_in: bool) -> dict[str, File]:
    """The files by their names; other names are not served."""
    found = {}
    modules = "\n".join(f'<link rel="modulepreload" href="ui/{one.name}">' for one in sorted(_FILES.glob("*.js")))
    for path in _served():
        text = path.read_text()
        if path.name == _INDEX:
            text = text.replace(_SIGN_IN, "entra" if is_signed_in else "key").replace(_MODULES, modules)
        content = _REFERENCE.sub(rf'\1?{_VERSION}={_version()}"', text).encode()
        found[path.name] = File(content, _KINDS[path.suffix], etag(content))
    return found


def _served() -> list[Path]:
    return [path for path in sorted(_FILES.rglob("*")) if path.suffix in _KINDS]


@cache
def _version() -> str:
    """The same for the same files, on every worker."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in _served())).hexdigest()[:12]
