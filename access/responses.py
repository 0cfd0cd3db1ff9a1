"""What the gate answers: problem details for programs, a page with a sentence for people."""

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
{again}<style>
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
<p>{sentence}</p>
{form}</main>
</html>
"""
FORM = """<form>
{kept}<label for="token">Token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password">
<button>Open</button>
</form>
"""
SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    """Problem details (RFC 9457): what is wrong and, where known, in which field."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, media_type=PROBLEM_TYPE)


def page(status: int, sentence: str) -> HTMLResponse:
    """A refusal for people to read."""
    text = PAGE.format(again="", sentence=escape(sentence), form="")
    return HTMLResponse(text, status, headers=SAFE)


def sign_in_page(
    sentence: str, query: Iterable[tuple[str, str]], try_again: bool = False
) -> HTMLResponse:
    """A page that asks for the token and goes on to the address that was asked for.

    Args:
        query: the address's other parameters, which are kept.
        try_again: whether the browser asks once more by itself. It keeps back a strict cookie
            where another site's link led here, and sends it when this page asks.
    """
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in query
    )
    again = '<meta http-equiv="refresh" content="0">\n' if try_again else ""
    text = PAGE.format(again=again, sentence=escape(sentence), form=FORM.format(kept=kept))
    return HTMLResponse(text, 401, headers=SAFE)
