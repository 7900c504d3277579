"""What browsers are told, and the proof that a form came from a page of Tocsin.

HTTPS is never forced by a redirect: the proxy in front does that, and a sender whose POST is redirected loses its
alert. A base URL with https says that there is such a proxy; only then are its `X-Forwarded-…` headers believed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, request
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from config.errors import TocsinError

SESSION_HOURS = 12  # the longest usual shift: nobody is asked to sign in again at night
HSTS_SECONDS = 365 * 24 * 3600

# No script from elsewhere, none inside a page, and no page inside another's frame.
POLICY = {
    "default-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# For a document that carries its styles inside, as the export of a review does: they work, and nothing else does.
POLICY_OF_A_FILE = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "img-src": "data:",
    "frame-ancestors": "'none'",
    "sandbox": "allow-popups",
}

Markable = TypeVar("Markable", bound=Callable[..., Any] | Blueprint)
_PUBLIC = "tocsin_public"
_EXEMPT = "tocsin_exempt_from_form_check"


def install(app: Flask, *, base_url: str) -> None:
    is_https = base_url.startswith("https://")
    app.config.update(
        # __Host-: a browser takes it over HTTPS only, and from no other host, not even a subdomain's.
        SESSION_COOKIE_NAME="__Host-tocsin" if is_https else "tocsin",
        SESSION_COOKIE_SECURE=is_https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SESSION_HOURS),
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,  # `config.auth` asks for it, once it knows who calls and by what
        WTF_CSRF_TIME_LIMIT=None,  # a page left open over night still acknowledges; the session's end is the limit
        WTF_CSRF_SSL_STRICT=False,  # it compares with the Host header, which proxies change; see the cookie's name
    )
    CSRFProtect(app)
    Talisman(
        app,
        force_https=False,
        content_security_policy=POLICY,
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={},
        session_cookie_secure=is_https,
        strict_transport_security_max_age=HSTS_SECONDS,
        strict_transport_security_include_subdomains=False,
    )
    app.after_request(_keep_to_oneself)
    if is_https:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]  # Flask's own way


def public(what: Markable) -> Markable:
    """Mark a view, a MethodView class or a blueprint that answers anybody. The others need a caller: `config.auth`."""
    return mark(what, _PUBLIC)


def exempt(what: Markable) -> Markable:
    """Mark one whose POST comes from programs and carries its own proof: a key in the path, a signature."""
    return mark(what, _EXEMPT)


def is_public(app: Flask, endpoint: str) -> bool:
    return is_marked(app, endpoint, _PUBLIC)


def self_contained(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that gives out a document with its styles inside; script stays off, and so do our cookies."""
    marked: Callable[..., Any] = Talisman()(content_security_policy=POLICY_OF_A_FILE)(view)
    return marked


def check_form() -> None:
    """Refuse a writing request that a browser was talked into: its form or X-CSRFToken header lacks the token."""
    if request.endpoint is None or is_marked(current_app, request.endpoint, _EXEMPT):
        return
    csrf: CSRFProtect = current_app.extensions["csrf"]
    try:
        csrf.protect()
    except CSRFError as error:
        raise TocsinError(
            "This was not sent from a page of Tocsin, or the page is too old. Go back, reload it and send it again. "
            "Programs send an API token instead."
        ) from error


def mark(what: Markable, name: str) -> Markable:
    setattr(what, name, True)
    return what


def is_marked(app: Flask, endpoint: str, name: str) -> bool:
    """Whether the endpoint's view, its class, or a blueprint around it carries the mark."""
    view = app.view_functions.get(endpoint)
    if getattr(view, name, False) or getattr(getattr(view, "view_class", None), name, False):
        return True
    around = endpoint.split(".")[:-1]
    names = (".".join(around[: depth + 1]) for depth in range(len(around)))
    return any(getattr(app.blueprints.get(each), name, False) for each in names)


def _keep_to_oneself(response: Response) -> Response:
    """Pages are for whoever is signed in: no shared cache keeps them, and going back asks again."""
    if not response.cache_control:
        response.cache_control.private = True
        response.cache_control.no_cache = True
    return response
