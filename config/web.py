"""Signing in and out, and what every page shares: the frame, the styles, the way from page to page."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter, RequestLimit
from flask_limiter.util import get_remote_address
from werkzeug import Response as AnyResponse

from config import auth, ids, logs, navigation, passwords, security, sessions
from config.database import Database
from config.forms import typed
from config.sessions import People, Person

ATTEMPTS = (
    "10 per minute"  # that failed, of signing in, from one address, and for one e-mail address; in one web process
)
NEXT_CHARACTERS_MAX = 2000
STYLES = Path(__file__).parent / "static" / "tocsin.css"
STYLES_KEPT_SECONDS = 24 * 3600  # by a browser; changed styles have another address
HOME = "/incidents"

log = logs.get("web")


def install(
    app: Flask,
    database: Database,
    people: People,
    *,
    demo: bool = False,
) -> None:
    """After `security` and `auth`."""
    pages = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/assets")
    brake = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    security.public(pages)

    @pages.get("/")
    def home() -> AnyResponse:
        return redirect(HOME)

    @pages.get("/sign-in")
    def sign_in() -> AnyResponse:
        if auth.caller_or_none() is not None:
            return redirect(_next())
        return _form()

    @pages.post("/sign-in")
    @brake.limit(ATTEMPTS, key_func=_address, on_breach=_too_many, deduct_when=_failed)
    @brake.limit(ATTEMPTS, key_func=_email_tried, on_breach=_too_many, deduct_when=_failed)
    def try_to_sign_in() -> AnyResponse:
        person = _recognise(database, people, _email(), request.form.get("password", ""))
        if person is None:
            log.warning("Somebody failed to sign in.", address=request.remote_addr)
            return _form("That e-mail address and password do not go together. Please try again.", status=401)
        sessions.sign_in(person)
        log.info("Signed in.", responder=person.key, address=request.remote_addr)
        return redirect(_next(), 303)

    @pages.post("/sign-out")
    def sign_out() -> AnyResponse:
        sessions.sign_out()
        flash("You are signed out.", "done")
        return redirect(url_for("web.sign_in"), 303)

    app.register_blueprint(pages)
    version = hashlib.sha256(STYLES.read_bytes()).hexdigest()[:8]
    shared = {"navigation": navigation, "demo": demo, "styles_version": version}
    app.context_processor(lambda: shared)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STYLES_KEPT_SECONDS


def local_path(text: str) -> str | None:
    """The text if it is a path on this Tocsin, as a browser would understand it; else None."""
    # Browsers drop tabs and line ends, and read a backslash as a slash: /\evil.example is another host.
    if not text.startswith("/") or text[1:2] in ("/", "\\") or len(text) > NEXT_CHARACTERS_MAX:
        return None
    return text if text.isprintable() and not set(text) & {" ", "\\"} else None


def _recognise(database: Database, people: People, email: str, password: str) -> Person | None:
    with database.reading() as session:
        person = people.by_email(session, email)
    stored = person.password_hash if person is not None else None
    # Outside the transaction: it takes a noticeable part of a second, by intention.
    if not passwords.is_right(stored, password) or person is None or stored is None:
        return None
    if passwords.is_outdated(stored):
        return _with_new_hash(database, people, person, passwords.hashed(password))
    return person


def _with_new_hash(database: Database, people: People, person: Person, hashed: str) -> Person:
    with database.transaction() as session:
        again = people.by_id(session, person.id)
        if again is None or again.password_hash != person.password_hash:
            return person  # it was changed this moment, and the session about to begin will not hold
        again.password_hash = hashed
        return again


def _form(problem: str = "", *, status: int = 200) -> Response:
    page = render_template("sign_in.html", problem=problem, email=_email(), next=_next())
    return make_response(page, status)


def _too_many(_: RequestLimit) -> Response:
    log.warning("Signing in was refused: too many attempts.", address=request.remote_addr)
    refusal = _form("Too many attempts to sign in. Wait a minute, then try again.", status=429)
    refusal.headers["Retry-After"] = "60"
    return refusal


def _failed(response: Response) -> bool:
    """Only failed attempts are counted: a team behind one address signs in as often as it likes."""
    return response.status_code == 401


def _next() -> str:
    return local_path(request.values.get("next", "")) or HOME


def _email() -> str:
    return typed("email")


def _address() -> str:
    return f"address {get_remote_address()}"


def _email_tried() -> str:
    return "email " + ids.secret_hash(_email().lower())
