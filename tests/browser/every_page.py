"""Every page as its reader gets it: with much on it, with words that do not break, and in each of its states."""

from __future__ import annotations

from datetime import timedelta
from string import Template

from flask.testing import FlaskClient
from sqlalchemy import select

from config.database import Database
from config.ids import secret_hash
from config.settings import Settings
from escalation.channels.action_links import Links
from escalation.models import Page
from incidents import act_routes, arrivals, demo, intake
from incidents.act_routes import ActEdge
from incidents.arrivals import Arrival, Verdict
from incidents.models import Integration
from incidents.slack import pages as slack_pages
from incidents.sources.base import AlertStatus, IncomingAlert, Link
from incidents.sources.table import SOURCES
from tests import slack_room
from tests.edge import SECRET_KEY
from tests.fakes.providers import FakeProviders
from tests.messages import brief, page
from tests.pages import Pages, demo_world
from tests.world import World

WORD = "W" * 300
NAME = "nightly-backup-of-the-ledger-of-the-constitutional-archive-eu"
BASE_URL = "https://tocsin.example.org"
LINKS = Links(BASE_URL, "s" * 32)
OF_RESPONDERS = (
    "/incidents/new", "/oncall", "/oncall/mine", "/me", "/runbooks", "/runbooks/recovery", "/heartbeats", "/silences",
    "/silences/new",
)  # fmt: skip
OF_CALENDAR = ("/oncall/calendar", "/oncall/calendar?view=week", "/oncall/override?schedule=primary")
OF_ADMINS = (
    "/configuration", "/configuration/schedule", "/configuration/policy/standard", "/readiness", "/audit",
    "/integrations", "/simulate", "/simulate?days=7", "/simulate?incident=2",
)  # fmt: skip


def of(database: Database) -> dict[str, str]:
    """Name -> page. A name that begins with / is the address it was got from."""
    world = demo_world(database)
    world.apply(_with_every_source())
    pages = Pages(world, is_demo=True)
    edge = ActEdge(database, world.desk, lambda: world.now, lambda: None, LINKS)
    pages.app.register_blueprint(act_routes.blueprint(edge))
    pages.lives_in("kofi", "America/Argentina/ComodRivadavia")
    reader, admin = pages.by("kofi"), pages.by("kofi", role="admin")
    shown = {"empty list": reader.get("/incidents").text, "nothing arrived": admin.get("/integrations").text}
    _much_happens(pages, reader)
    shown |= _acting(pages) | _silences(pages)
    numbers = [f"/incidents/{number}" for number in range(1, 5)]
    lists = ["/incidents", "/incidents?choose=1&status=all", "/console"]
    shown |= {path: reader.get(path).text for path in (*numbers, *lists, *OF_RESPONDERS, *OF_CALENDAR)}
    shown |= {path: admin.get(path).text for path in OF_ADMINS}
    shown["/sign-in"] = pages.stranger().get("/sign-in").text
    return shown | _slack(pages)


def _with_every_source() -> str:
    given = Template(demo.text()).substitute(demo.environment(SECRET_KEY))
    keys = {source: f"{number:02d}" + "ab" * 15 for number, source in enumerate(sorted(SOURCES))}
    entries = [f'      - {{source: {source}, key: "{key}"}}' for source, key in keys.items()]
    beats = [
        f'{{name: {NAME}, every: 15m, severity: HIGH, key: "{"f1" * 16}"}}',
        f'{{name: "Zeugen abgleichen – jede Stunde", every: 1h, grace: 10m, key: "{"f2" * 16}"}}',
    ]
    archive = [
        "  archive-of-the-constitutional-ledger:", "    policy: standard", f"    heartbeats: [{', '.join(beats)}]",
        "    integrations:", *entries,
    ]  # fmt: skip
    return given.replace("\nservices:\n", "\nservices:\n" + "\n".join(archive) + "\n")


def _much_happens(pages: Pages, reader: FlaskClient) -> None:
    world = pages.world
    for sample in ("checkout-down", "broken-chain", "slow-report"):
        reader.post(f"/console/alerts/{sample}")
    unbroken = IncomingAlert(
        "generic", WORD, AlertStatus.FIRING, f"{WORD} <b>", body=f"{WORD}\n" * 300, labels={WORD: WORD},
        links=(Link(f"https://example.org/{WORD}", WORD),),
    )  # fmt: skip
    with world.database.transaction() as session:
        door = intake.door(session, secret_hash(demo.key(SECRET_KEY, "reports", "generic")))
        assert door is not None
        intake.receive(session, world.desk, door, unbroken, world.now)
    _arrived(world, unbroken)
    world.now += timedelta(seconds=1)
    world.fast_forward(minutes=20)
    reader.post("/incidents/1/acknowledge")
    reader.post("/incidents/2/notes", data={"text": WORD, "starred": "1"})
    reader.post("/incidents/2/steps/1", data={"note": WORD})
    reader.post("/incidents/2/holds", data={"authority": WORD[:200], "reason": WORD, "for": "48h"})
    pages.by("ana").post("/incidents/2/resolve", data={"reason": WORD})
    reader.post("/incidents/3/resolve", data={"reason": WORD})
    reader.post("/incidents/1/resolve", data={"reason": "rolled back"})
    reader.post("/incidents/1/review/publish", data={"url": f"https://wiki.example.org/{WORD}", "note": WORD})
    with_dates = {"first": "2026-12-21", "last": "2026-12-23", "reason": WORD[:100]}
    reader.post("/oncall/mine/time-off", data=with_dates)
    reader.post("/silences/new", data={"services": "reports", "title": WORD[:200], "reason": WORD, "for": "48h"})
    gives = {"gives_starts": "2026-11-24T00:00:00+00:00", "gives_ends": "2026-11-25T00:00:00+00:00"}
    pages.by("ana").post("/oncall/mine/swaps", data={"schedule": "secondary", "other": "kofi", **gives})
    reader.post("/oncall/mine/feeds", data={"schedule": ""})
    reader.get("/incidents")  # and with it all that was said of the above


def _silences(pages: Pages) -> dict[str, str]:
    """With one that goes on and holds an incident, one to come, and one that is over; and each state of the form."""
    world, reader = pages.world, pages.by("kofi")
    shown = {"silences: none": reader.get("/silences").text}
    for asked in (
        {"labels": f"{WORD[:200]} = *", "reason": WORD, "for": "31d"},
        {"services": ["checkout", "archive-of-the-constitutional-ledger"], "reason": "patches", "from": "22:00",
         "to": "04:00", "days": ["tue", "thu"], "weeks": "2 4"},
        {"title": f"*{WORD[:190]}*", "reason": "tried", "for": "30m"},
    ):  # fmt: skip
        assert reader.post("/silences/new", data=asked).status_code == 303
        world.run()
    looked = {"labels": f"{WORD[:200]} = *", "reason": WORD, "for": "31d", "look": "1"}
    shown["silence: looked at"] = reader.post("/silences/new", data=looked).text
    shown["silence: refused"] = reader.post("/silences/new", data={"labels": WORD, "look": "1"}).text
    incoming = IncomingAlert(
        "generic", "silenced", AlertStatus.FIRING, "Disk of db-1 is full", labels={WORD[:200]: "x"}
    )
    with world.database.transaction() as session:
        door = intake.door(session, secret_hash(demo.key(SECRET_KEY, "reports", "generic")))
        assert door is not None
        silenced = intake.receive(session, world.desk, door, incoming, world.now).incident_id
    reader.post("/silences/3/end", data={"reason": "done"})
    world.run()
    addresses = (f"/incidents/{silenced}", "/silences", "/silences/new", "/incidents?silenced=1&status=all")
    return shown | {path: reader.get(path).text for path in addresses}


def _arrived(world: World, alert: IncomingAlert) -> None:
    """By every integration one that was taken and one that was refused."""
    content = arrivals.shown({"text": WORD, "labels": {WORD: WORD}})
    with world.database.transaction() as session:
        for each in session.scalars(select(Integration.id).order_by(Integration.id)):
            taken = Arrival(each, world.now, Verdict.ACCEPTED, [alert], [4])
            refused = Arrival(each, world.now, Verdict.REFUSED, problem=f"heartbeat: is missing, and so is {WORD}")
            for arrival in (taken, refused, Arrival(each, world.now, Verdict.FORGED, problem="no signature")):
                arrivals.write(session, arrival, content)


def _acting(pages: Pages) -> dict[str, str]:
    """The page of a link in a letter, in each state that it can be in."""
    world, stranger = pages.world, pages.stranger()
    with world.database.reading() as session:
        rows = {each.incident_id: each.id for each in session.scalars(select(Page).order_by(Page.id.desc()))}

    def path(number: int, *, escalate: bool = False) -> str:
        actions = LINKS.actions(page(brief(incident_id=number), page_id=rows[number]), world.now)
        return (actions.escalate if escalate else actions.acknowledge).removeprefix(BASE_URL)

    asking, already = path(2), path(1)
    shown = {
        "act: asking, constitutional": stranger.get(asking).text,
        "act: escalating": stranger.get(path(4, escalate=True)).text,
        "act: another had it": stranger.get(already).text,
        "act: done": stranger.post(path(4), follow_redirects=True).text,
        "act: used": stranger.post(path(4), follow_redirects=True).text,
        "act: forged": stranger.get("/act/a.1.1.1.x").text,
    }
    world.now += timedelta(hours=24)
    shown["act: over"] = stranger.get(asking).text
    return shown


def _slack(pages: Pages) -> dict[str, str]:
    world = pages.world
    shown = {}
    with FakeProviders() as providers:
        ways = {"no token": None, "well": slack_room.channel(providers)}
        for state in ("no token", "well", "scopes missing", "token wrong"):
            if state == "scopes missing":
                providers.slack.scopes = "commands"
            if state == "token wrong":
                providers.slack.tokens.clear()
            outward = ways.get(state, ways["well"])
            settings = Settings(base_url=BASE_URL, slack_signing_secret="s" if outward else "")
            again = Pages(world)
            again.app.register_blueprint(slack_pages.blueprint(world.database, settings, outward, lambda: world.now))
            shown[f"/slack: {state}"] = again.by("ana").get("/slack").text
    return shown
