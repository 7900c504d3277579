"""The runbooks as pages. They read files only, and are there while the database is away: whoever is signed in by then
is let in on their cookie alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from posixpath import basename

from flask import Blueprint, render_template
from markupsafe import Markup

from config import auth, clock
from config.errors import NotFoundError
from runbook_links import rendering
from runbook_links.document import Runbook
from runbook_links.shelf import Library, Shelf

LATE = ("overdue", "expired")  # states of a certification that a reader must be warned of
FOLDER = "/runbooks"


def blueprint(shelf: Shelf, read_clock: Callable[[], datetime] = clock.now) -> Blueprint:
    pages = Blueprint("runbook_pages", __name__, template_folder="templates")
    auth.readable_without_database(pages)

    @pages.get(FOLDER)
    def runbooks() -> str:
        library, today = shelf.library, read_clock().date()
        books = sorted(library.runbooks, key=lambda book: book.id)
        return render_template(
            "runbooks/list.html",
            books=[(book, certification(book, today)) for book in books],
            index=library.index,
            problems=library.problems,
        )

    @pages.get(f"{FOLDER}/<name>")
    def runbook(name: str) -> str:
        book = find(shelf.library, name)
        today = read_clock().date()
        return render_template(
            "runbooks/runbook.html",
            book=book,
            body=Markup(rendering.render(book.body, link=address_of)),  # noqa: S704  # nh3 has cleaned it
            contents=[
                (heading, f"#{rendering.ID_PREFIX}{anchor}")
                for heading, anchor in zip(book.headings, book.anchors, strict=True)
                if heading.depth in (2, 3)
            ],
            certification=certification(book, today),
            is_late=book.recert_state(today) in LATE,
        )

    return pages


def find(library: Library, name: str) -> Runbook:
    """A runbook by its id; the index and the template by their file names. Raises NotFoundError."""
    name = name.removesuffix(".md")
    found = library.get(name) or library.documents.get(name)
    if found is None:
        raise NotFoundError(f"There is no runbook called {name}.")
    return found


def address_of(target: str) -> str:
    """Where a link from one runbook to another's file leads here."""
    path, _, fragment = target.partition("#")
    if not path.endswith(".md"):
        return target
    anchor = f"#{rendering.ID_PREFIX}{fragment}" if fragment else ""
    return f"{FOLDER}/{basename(path).removesuffix('.md')}{anchor}"


def certification(book: Runbook, today: date) -> str:
    """Whether its owner has lately confirmed that it is right, in words."""
    state, due_on = book.recert_state(today), book.recert.due_on
    by = f", due {due_on.day} {due_on:%b %Y}" if due_on else ""
    return f"{state}{by}" if state else "never certified"
