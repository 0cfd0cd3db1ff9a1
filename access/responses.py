"""Responses to refused requests: problem details for programs, a page for people."""

import json
from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse

PROBLEM_TYPE = "application/problem+json"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>stnscope</title>
{refresh}<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 16px/1.5 system-ui, sans-serif; background: light-dark(#fdfdfc, #121417);
  color: light-dark(#1b1e23, #e8e9eb); }}
main {{ max-width: 26rem; padding: 1.5rem; overflow-wrap: anywhere; }}
h1 {{ margin: 0 0 .5rem; font-size: 1.5rem; }}
form {{ display: grid; gap: .4rem; margin-top: 1.5rem; }}
input, button {{ font: inherit; min-height: 2.5rem; padding: 0 .75rem; border-radius: 4px; }}
input {{ border: 1px solid GrayText; background: none; color: inherit; }}
button {{ margin-top: .6rem; border: 0; background: light-dark(#2457c5, #4f7cea); color: #fff;
  cursor: pointer; }}
</style>
<main>
<h1>stnscope</h1>
<p>{text}</p>
{form}</main>
</html>
"""
FORM = """<form>
{hidden}<label for="token">Token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password">
<button>Open</button>
</form>
"""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ProblemResponse(JSONResponse):
    """Problem details, which may repeat text of a request that is not valid Unicode."""

    media_type = PROBLEM_TYPE

    def render(self, content: Any) -> bytes:
        # A lone surrogate becomes an escape, as JSON has them.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace")


def problem(status: int, detail: str, **extensions: Any) -> JSONResponse:
    """Return problem details (RFC 9457): what is wrong and, if known, in which field."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body |= extensions
    return ProblemResponse(body, status)


def refusal_page(status: int, text: str) -> HTMLResponse:
    """Return a page with the reason why a request is refused."""
    html = PAGE.format(refresh="", text=escape(text), form="")
    return HTMLResponse(html, status, headers=HEADERS)


def sign_in_page(text: str, query: Iterable[tuple[str, str]], retry: bool = False) -> HTMLResponse:
    """Return a page that asks for the token and continues to the address that was requested.

    Args:
        text: the page's sentence.
        query: the address's other parameters, which are kept.
        retry: whether the browser repeats the request once by itself. It withholds a strict cookie
            when a link on another site led here, and sends it when this page requests.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in query
    )
    refresh = '<meta http-equiv="refresh" content="0">\n' if retry else ""
    html = PAGE.format(refresh=refresh, text=escape(text), form=FORM.format(hidden=hidden))
    return HTMLResponse(html, 401, headers=HEADERS)
