"""Access control before an application: which requests are accepted, and how others are refused."""

import asyncio
from collections.abc import Mapping
from html.parser import HTMLParser

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Scope

from stnscope.access.middleware import AccessControl
from stnscope.access.policy import Access, own_hosts

TOKEN = "correct-horse"
PORT = 8501
HOSTS = own_hosts("127.0.0.1", PORT)
ORIGINS = frozenset(f"http://{host}" for host in HOSTS) | {"https://stn.example"}

OPEN = Access(hosts=HOSTS, origins=ORIGINS, token=None, loopback_only=True)
CLOSED = Access(hosts=HOSTS, origins=ORIGINS, token=TOKEN, loopback_only=False)

BEARER = {"Authorization": f"Bearer {TOKEN}"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

# Similar to an accepted host.
OTHER_HOSTS = [
    "",
    "evil.example",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost",
    "localhost:85010",
    "localhost:8501.evil.example",
    "localhost.evil.example:8501",
    "localhost.:8501",
    "notlocalhost:8501",
    "user@localhost:8501",
    "localhost:8501@evil.example",
    "localhost:8501,evil.example",
    "127.0.0.01:8501",
    "127.1:8501",
    "2130706433:8501",
    "127.0.0.2:8501",
    "0.0.0.0:8501",
    "::1:8501",
    "[::1]",
    "[::]:8501",
    "[0:0:0:0:0:0:0:1]:8501",
    "[::ffff:127.0.0.1]:8501",
    "%6cocalhost:8501",
    "localhost%00:8501",
    "localhost:8501/",
    "http://localhost:8501",
]
OTHER_ORIGINS = [
    "",
    "null",
    "*",
    "localhost:8501",
    "//localhost:8501",
    "http://evil.example",
    "http://localhost",
    "http://localhost:8502",
    "http://localhost:85010",
    "https://localhost:8501",
    "ws://localhost:8501",
    "file://localhost:8501",
    "HTTP://LOCALHOST:8501",
    "http://Localhost:8501",
    "http://localhost:8501/",
    "http://localhost:8501 ",
    "http://localhost.:8501",
    "http://localhost:8501.evil.example",
    "http://localhost.evil.example:8501",
    "http://evil-localhost:8501",
    "http://user@localhost:8501",
    "http://localhost:8501@evil.example",
    "http://evil.example/http://localhost:8501",
    "http://evil.example?http://localhost:8501",
    "http://evil.example#http://localhost:8501",
    "http://localhost:8501, http://evil.example",
    "http://%6cocalhost:8501",
    "http://localhost%2e:8501",
    "http://127.1:8501",
    "http://0.0.0.0:8501",
    "http://::1:8501",
    "http://[::]:8501",
    "http://[0:0:0:0:0:0:0:1]:8501",
    "http://[::ffff:127.0.0.1]:8501",
    "http://stn.example",
    "https://stn.example:8501",
    "https://www.stn.example",
    "https://stn.example.evil.example",
]
WRONG_TOKENS = [
    {},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": f"Bearer {TOKEN.upper()}"},
    {"Authorization": f"Bearer {TOKEN} {TOKEN}"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": b"Bearer \xe9\xff"},
    {"Cookie": "stnscope_token=wrong"},
    {"Cookie": "stnscope_token="},
    {"Cookie": "stnscope_token"},
    {"Cookie": f"other={TOKEN}"},
    {"Cookie": f"xstnscope_token={TOKEN}"},
    {"Cookie": f"STNSCOPE_TOKEN={TOKEN}"},
    {"Cookie": b"stnscope_token=\xe9\xff"},
    {"X-Token": TOKEN},
]


async def respond(scope: Scope, receive: object, send: object) -> None:
    await PlainTextResponse("accepted")(scope, receive, send)  # type: ignore[arg-type]


def request(
    access: Access,
    address: str = "/x",
    method: str = "GET",
    headers: Mapping[str, str | bytes] | None = None,
    scheme: str = "http",
    host: str = f"localhost:{PORT}",
) -> httpx.Response:
    middleware: ASGIApp = AccessControl(respond, access)

    named = {"Host": host, **(headers or {})}
    raw = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in named.items()
    ]

    async def send_request() -> httpx.Response:
        transport = httpx.ASGITransport(middleware)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"{scheme}://localhost:{PORT}"
        ) as client:
            return await client.request(method, address, headers=raw)

    return asyncio.run(send_request())


def opens_socket(access: Access, headers: dict[str, str]) -> bool:
    """Whether a WebSocket with these headers reaches the application."""
    reached: list[Scope] = []
    sent: list[Message] = []

    async def application(scope: Scope, receive: object, send: object) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "headers": raw, "query_string": b"", "path": "/x"}
    asyncio.run(AccessControl(application, access)(scope, receive, send))
    assert bool(reached) != bool(sent)
    assert all(message["type"] == "websocket.close" for message in sent)
    return bool(reached)


@pytest.mark.parametrize("access", [OPEN, CLOSED], ids=["open", "closed"])
@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_other_hosts_are_refused(access: Access, host: str) -> None:
    response = request(access, host=host, headers=BEARER)
    assert response.status_code == 421
    assert "accepted" not in response.text
    assert not opens_socket(access, {"Host": host, **BEARER})


@pytest.mark.parametrize("access", [OPEN, CLOSED], ids=["open", "closed"])
@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_pages_of_other_origins_are_refused(access: Access, origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST", **BEARER}
        response = request(access, method=method, headers=headers)
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
    assert not opens_socket(access, {"Host": f"localhost:{PORT}", "Origin": origin, **BEARER})


@pytest.mark.parametrize("origin", sorted(ORIGINS))
def test_allowed_origins_are_accepted(origin: str) -> None:
    assert request(CLOSED, headers={"Origin": origin, **BEARER}).text == "accepted"
    assert opens_socket(CLOSED, {"Host": f"localhost:{PORT}", "Origin": origin, **BEARER})


@pytest.mark.parametrize("host", [*sorted(HOSTS), "LOCALHOST:8501"])
def test_own_hosts_are_accepted(host: str) -> None:
    assert request(OPEN, host=host).text == "accepted"


@pytest.mark.parametrize("headers", WRONG_TOKENS, ids=str)
def test_requests_without_the_right_token_are_refused(headers: dict[str, str | bytes]) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        response = request(CLOSED, method=method, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in response.text
    # A header cannot contain every character that a query can; those were tried above.
    spelled = {name: value for name, value in headers.items() if isinstance(value, str)}
    assert not opens_socket(CLOSED, {"Host": f"localhost:{PORT}", **spelled})


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"Authorization": f"bearer  {TOKEN}"},
        {"Cookie": f"stnscope_token={TOKEN}"},
        # Cookies of other servers on this machine, of any form.
        {"Cookie": f'a={{"b": [1]}}; =; ;;c; stnscope_token={TOKEN}; d=e=f'},
        {"Cookie": "stnscope_token=wrong", **BEARER},
    ],
    ids=str,
)
def test_right_token_is_accepted(headers: dict[str, str]) -> None:
    assert request(CLOSED, headers=headers).text == "accepted"
    assert opens_socket(CLOSED, {"Host": f"localhost:{PORT}", **headers})


def test_token_with_special_characters_works_in_link_cookie_and_header() -> None:
    token = "a+b/c=d&e?f#g%20@(h)~"
    access = Access(hosts=HOSTS, origins=ORIGINS, token=token, loopback_only=True)
    signed_in = request(access, str(httpx.URL("/", params={"token": token})))
    assert signed_in.status_code == 303
    cookie = signed_in.headers["set-cookie"].partition(";")[0]
    assert request(access, headers={"Cookie": cookie}).text == "accepted"
    assert request(access, headers={"Authorization": f"Bearer {token}"}).text == "accepted"


def test_link_sets_a_cookie_and_redirects_without_the_token() -> None:
    response = request(CLOSED, f"/a%20b?token={TOKEN}&run=a+b")
    assert response.status_code == 303
    assert response.headers["location"] == "./a%20b?run=a+b"
    assert response.headers["cache-control"] == "no-store"
    attributes = {part.strip().lower() for part in response.headers["set-cookie"].split(";")[1:]}
    assert attributes == {"httponly", "samesite=strict", "path=/"}


def test_link_redirects_below_the_path_of_a_proxy() -> None:
    address = httpx.URL("https://stn.example/vision/")
    for path, target in (("", "/vision/?run=1"), ("docs", "/vision/docs?run=1")):
        response = request(CLOSED, f"/{path}?token={TOKEN}&run=1")
        redirected = address.join(path).join(response.headers["location"])
        assert redirected.raw_path.decode() == target


def test_cookie_is_secure_over_https_only() -> None:
    response = request(CLOSED, f"/?token={TOKEN}", scheme="https")
    assert "; Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize("path", ["//evil.example", "///evil.example", "/%5Cevil.example"])
def test_link_never_redirects_to_another_server(path: str) -> None:
    response = request(CLOSED, f"http://localhost:{PORT}{path}?token={TOKEN}")
    assert response.status_code == 303
    assert response.url.join(response.headers["location"]).netloc == response.url.netloc


def test_wrong_token_in_a_link_sets_no_cookie() -> None:
    for wrong_token in ("wrong", "", "%E9", "%ED%A0%80", f"{TOKEN}&token=wrong"):
        response = request(CLOSED, f"/?token={wrong_token}")
        assert response.status_code == 401
        assert "set-cookie" not in response.headers


def test_post_is_never_redirected() -> None:
    response = request(CLOSED, f"/?token={TOKEN}", method="POST")
    assert response.status_code == 401
    assert request(CLOSED, f"/?token={TOKEN}", method="POST", headers=BEARER).text == "accepted"


def test_programs_get_problem_details() -> None:
    for response in (
        request(CLOSED),
        request(CLOSED, host="evil.example"),
        request(CLOSED, headers={"Origin": "null"}),
    ):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
        assert response.json()["detail"].endswith(".")


class Form(HTMLParser):
    """The fields of a page's form, by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str | None, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            self.fields[dict(attrs)["name"]] = dict(attrs).get("value")


def test_browsers_get_a_page_that_asks_for_the_token_and_keeps_the_query() -> None:
    response = request(CLOSED, "/?run=a%22%3E%3Cb%3E&token=wrong", headers=BROWSER)
    assert response.status_code == 401
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert Form(response.text).fields == {"run": 'a"><b>', "token": None}
    assert "refresh" not in response.text
    assert "That is not the token" in response.text
    assert "That is not" not in request(CLOSED, headers=BROWSER).text


def test_browsers_get_a_page_that_says_why_a_host_is_refused() -> None:
    response = request(CLOSED, host="<i>.example", headers=BROWSER)
    assert response.status_code == 421
    assert "&lt;i&gt;.example" in response.text
    assert f"localhost:{PORT}" in response.text
    assert Form(response.text).fields == {}


def test_link_on_another_site_makes_the_browser_retry() -> None:
    response = request(CLOSED, headers={**BROWSER, "Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 401
    assert '<meta http-equiv="refresh"' in response.text


def test_allowed_origin_can_read_why_it_is_refused() -> None:
    response = request(CLOSED, headers={"Origin": "https://stn.example"})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "https://stn.example"
    assert response.headers["access-control-allow-credentials"] == "true"


def test_token_is_required_beyond_this_machine() -> None:
    for token in (None, ""):
        with pytest.raises(ValueError, match="needs a token"):
            Access(hosts=HOSTS, origins=ORIGINS, token=token, loopback_only=False)


@pytest.mark.parametrize("token", ["", "geheimnis-äöü", "two words", "a;b", "a,b", 'a"b', "a\\b"])
def test_token_that_cannot_be_a_cookie_value_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="A token consists of"):
        Access(hosts=HOSTS, origins=ORIGINS, token=token, loopback_only=True)


@pytest.mark.parametrize(
    ("address", "port", "accepted", "refused"),
    [
        ("127.0.0.1", 8501, "localhost:8501", "localhost"),
        ("127.0.0.1", 80, "localhost", "localhost:8501"),
        ("0.0.0.0", 8501, "[::1]:8501", "0.0.0.0:8501"),
        ("192.0.2.7", 8501, "192.0.2.7:8501", "192.0.2.8:8501"),
        ("2001:db8::7", 8501, "[2001:db8::7]:8501", "2001:db8::7:8501"),
    ],
)
def test_own_hosts(address: str, port: int, accepted: str, refused: str) -> None:
    assert accepted in own_hosts(address, port)
    assert refused not in own_hosts(address, port)
