"""The HTTP API of post-incident reviews: reading one, declaring it finished, and the list of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, request
from sqlalchemy.orm import Session

from config import auth, security
from config.routes import Routes
from config.schemas import paged
from incidents import queries_reviews, schemas, schemas_reviews
from incidents.api_edge import NUMBER, Answer, Edge
from incidents.desk import Actor, Outcome
from incidents.reviews import export, html, publishing, reviewing

# Of a review: the end of its path -> its media type, and what writes it.
FORMS: dict[str, tuple[str, Callable[[export.Review], bytes]]] = {
    "md": ("text/markdown; charset=utf-8", lambda review: export.to_markdown(review).encode()),
    "json": ("application/json", export.to_json),
    "html": ("text/html; charset=utf-8", lambda review: html.to_html(review).encode()),
}


def add(routes: Routes, edge: Edge) -> None:
    _documents(routes, edge)
    _publishing(routes, edge)
    _list(routes, edge)


def _documents(routes: Routes, edge: Edge) -> None:
    @routes.document(f"{NUMBER}/review.md", media_type="text/markdown")
    def review_markdown(number: int) -> Response:
        """The review as Markdown."""
        return _export(edge, number, "md")

    @routes.document(f"{NUMBER}/review.json", media_type="application/json")
    def review_json(number: int) -> Response:
        """The review itself: the other forms are made from it."""
        return _export(edge, number, "json")

    @routes.document(f"{NUMBER}/review.html", media_type="text/html")
    @security.self_contained
    def review_html(number: int) -> Response:
        """The review as one page that prints well and needs nothing else."""
        return _export(edge, number, "html")


def _publishing(routes: Routes, edge: Edge) -> None:
    desk = edge.desk

    @routes.post(f"{NUMBER}/review/publish", takes=schemas_reviews.PublishBody, gives=schemas.Answer)
    def publish(body: dict[str, Any], number: int) -> Answer:
        """Declare the review finished; again with another address or note, correct that. People only."""
        return edge.act(number, lambda session, who, now: publishing.publish(session, desk, number, who, now, **body))

    @routes.post(f"{NUMBER}/review/withdraw", takes=schemas_reviews.WithdrawBody, gives=schemas.Answer)
    def withdraw(body: dict[str, Any], number: int) -> Answer:
        """Take a publication back: the review is a draft again."""

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return publishing.withdraw(session, desk, number, who, now, **body)

        return edge.act(number, verb)


def _export(edge: Edge, number: int, form: str) -> Response:
    """What is given out is noted with its digest, so that a copy can be told from a forgery later."""
    now, exporter, (media_type, written) = edge.clock(), auth.acting("api"), FORMS[form]
    with edge.database.reading() as session:
        review = reviewing.review_of(session, number, now, edge.desk.base_url, shelf=edge.desk.shelf)
    content = written(review)
    if request.method != "HEAD":
        digest = hashlib.sha256(content).hexdigest()
        with edge.database.transaction() as session:
            edge.desk.journal(
                session,
                number,
                "review.exported",
                f"{exporter.name} exported the review as {form}; its SHA-256 is {digest}.",
                occurred_at=now,
                actor=exporter.name,
                actor_kind=exporter.kind,
                payload={"via": exporter.via, "format": form, "sha256": digest, "bytes": len(content)},
            )
        edge.wake()
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'inline; filename="review-{number}.{form}"'
    return response


def _list(routes: Routes, edge: Edge) -> None:
    @routes.get("/reviews", query=schemas_reviews.ReviewsQuery, gives=schemas_reviews.ReviewPage)
    def reviews(query: dict[str, Any]) -> dict[str, Any]:
        """Post-incident reviews, of the newest incident first."""
        with edge.database.reading() as session:
            found = queries_reviews.reviews(
                session,
                edge.desk.base_url,
                edge.clock(),
                state=query["state"],
                before=query["cursor"],
                limit=query["limit"] + 1,
            )
        return paged(found, query["limit"], "reviews", lambda review: review.number)
