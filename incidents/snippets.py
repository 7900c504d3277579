"""What to enter at a sender so that its alerts arrive here, ready to be copied. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from incidents.sources import pagerduty

KEY = "KEY"  # stands for the integration's key, which only its hash is kept of


@dataclass(frozen=True, slots=True)
class Snippet:
    where: str  # in the sender
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """What a sender is told: where to, and whether it must prove itself."""

    url: str
    base_url: str
    has_secret: bool
    mail_domain: str = ""  # empty: letters come by HTTP alone

    def if_secret(self, text: str) -> str:
        return text if self.has_secret else ""


def address(base_url: str, source: str, mail_domain: str = "") -> str:
    if source == "email" and mail_domain:
        return f"{KEY}@{mail_domain}, or {KEY}+WHAT@{mail_domain} for an alert that you name; {base_url}/alerts/email/{KEY}"
    if source == pagerduty.NAME:
        return f"{base_url}/v2/enqueue"
    if source == "opsgenie":
        return f"{base_url}/v2/alerts"
    return f"{base_url}/alerts/{source}/{KEY}"


def of(source: str, base_url: str, *, has_secret: bool = False, mail_domain: str = "") -> Snippet:
    url = address(base_url, source)
    make = SNIPPETS.get(source)
    if make is None:
        return Snippet("a webhook of the sender, POST with JSON", url)
    return make(Way(url, base_url, has_secret, mail_domain))


def _alertmanager(way: Way) -> Snippet:
    proof = way.if_secret("        http_config: {authorization: {credentials: SECRET}}\n")
    text = f"receivers:\n  - name: tocsin\n    webhook_configs:\n      - url: {way.url}\n        send_resolved: true\n{proof}"
    return Snippet("alertmanager.yml", text)


def _grafana(way: Way) -> Snippet:
    proof = way.if_secret("\nHMAC signature → Secret: SECRET")
    return Snippet(
        "Alerting → Contact points → Add → Integration: Webhook",
        f"URL: {way.url}\nHTTP method: POST{proof}",
        "The button Test is answered and wakes nobody.",
    )


def _sentry(way: Way) -> Snippet:
    return Snippet(
        "Settings → Developer settings → New internal integration",
        f"Webhook URL: {way.url}\nAlert rule action: on\nWebhooks: issue",
        "Issue alerts never say that they are over: the webhook `issue` does."
        + way.if_secret(" SECRET is the integration's client secret."),
    )


def _datadog(way: Way) -> Snippet:
    fields = {
        "title": "EVENT_TITLE",
        "body": "EVENT_MSG",
        "alert_transition": "ALERT_TRANSITION",
        "alert_cycle_key": "ALERT_CYCLE_KEY",
        "alert_type": "ALERT_TYPE",
        "severity": "ALERT_PRIORITY",
        "alert_title": "ALERT_TITLE",
        "alert_status": "ALERT_STATUS",
        "alert_query": "ALERT_QUERY",
        "scopes": "ALERT_SCOPE",
        "monitor_id": "ALERT_ID",
        "hostname": "HOSTNAME",
        "tags": "TAGS",
        "url": "LINK",
        "snapshot": "SNAPSHOT",
        "date": "DATE",
    }
    payload = "{\n" + ",\n".join(f'  "{name}": "${variable}"' for name, variable in fields.items()) + "\n}"
    proof = way.if_secret('\nCustom headers: {"Authorization": "Bearer SECRET"}')
    return Snippet(
        "Integrations → Webhooks → New, then @webhook-NAME in monitors",
        f"URL: {way.url}{proof}\nPayload:\n{payload}",
        "The cycle key leads from an alert to its recovery.",
    )


def _cloudwatch(way: Way) -> Snippet:
    return Snippet(
        "a shell with the AWS CLI",
        f"aws sns subscribe --topic-arn TOPIC_ARN --protocol https --notification-endpoint '{way.url}'",
        "The subscription is confirmed by itself. Tell the alarm to notify the topic for OK as well.",
    )


def _uptime_kuma(way: Way) -> Snippet:
    proof = way.if_secret('\nAdditional headers: {"Authorization": "Bearer SECRET"}')
    return Snippet(
        "Settings → Notifications → Set up: Webhook",
        f"Post URL: {way.url}\nRequest body: Preset - application/json{proof}",
    )


def _healthchecks(way: Way) -> Snippet:
    body = (
        '{"dedup_key":"$CODE","status":"$STATUS","title":$NAME_JSON,"tags":"$TAGS","now":"$NOW",'
        '"exit_status":$EXITSTATUS,"last_ping_body":$BODY_JSON,"check":$JSON}'
    )
    proof = way.if_secret("\nHeaders: Authorization: Bearer SECRET")
    return Snippet(
        "Integrations → Webhook, the same for down and for up",
        f"POST {way.url}{proof}\nBody:\n{body}",
        "Write $NAME_JSON, not “$NAME”: a name with a quotation mark breaks the other.",
    )


def _zabbix(way: Way) -> Snippet:
    macros = (
        "EVENT.ID EVENT.NAME EVENT.VALUE EVENT.STATUS EVENT.NSEVERITY EVENT.SEVERITY EVENT.UPDATE.STATUS "
        "EVENT.UPDATE.ACTION EVENT.ACK.STATUS EVENT.TAGSJSON EVENT.OPDATA HOST.NAME HOST.IP TRIGGER.ID "
        "TRIGGER.DESCRIPTION ALERT.MESSAGE"
    )
    parameters = "\n".join(f"  {macro} = {{{macro}}}" for macro in macros.split())
    proof = way.if_secret("\nrequest.addHeader('Authorization: Bearer SECRET');")
    return Snippet(
        "Alerts → Media types → Create: Webhook",
        f"Parameters:\n{parameters}\n  ZABBIX.URL = {{$ZABBIX.URL}}\nScript:\n"
        f"var request = new HttpRequest();\nrequest.addHeader('Content-Type: application/json');{proof}\n"
        f"request.post('{way.url}', value);\n"
        "if (request.getStatus() !== 202) throw 'Tocsin answered ' + request.getStatus();\nreturn 'OK';",
        "Or take Zabbix' own media type for Opsgenie with this Tocsin as its opsgenie_api.",
    )


def _azure_monitor(way: Way) -> Snippet:
    return Snippet(
        "Monitor → Alerts → Action groups → Actions: Webhook", f"URI: {way.url}\nEnable the common alert schema: Yes"
    )


def _email(way: Way) -> Snippet:
    piped = (
        f"pager: \"|curl -fsS --max-time 20 -H 'Content-Type: message/rfc822' --data-binary @- {way.url} || exit 75\""
    )
    if not way.mail_domain:
        return Snippet(
            "a mail server's aliases",
            piped,
            "75 tells Postfix and Exim to keep what was not taken, and to try it again.",
        )
    to = f"{KEY}@{way.mail_domain}"
    return Snippet(
        "the sender's e-mail notifications",
        f"To: {to}\n\n"
        f"# a letter to try it with, straight to the listener (HOST:PORT as in TOCSIN_MAIL_LISTEN)\n"
        f"printf 'Subject: PROBLEM: a test\\n\\nNobody need worry.\\n' | "
        f"curl -sS smtp://HOST:PORT --mail-from test@{way.mail_domain} --mail-rcpt {to} -T -\n\n"
        f"# DNS, where the listener is reached at port 25\n{way.mail_domain}. IN MX 10 HOST.\n\n"
        f"# Postfix' transport, where a mail server hands on to it\n{way.mail_domain} smtp:[HOST]:PORT\n\n"
        f"# aliases, where nothing listens and a mail server pipes\n{piped}",
        "A subject with RESOLVED in front ends the alert that the same subject opened.",
    )


def _gcp_monitoring(way: Way) -> Snippet:
    proof = way.if_secret("\nHTTP Basic Auth: any user name, the password is SECRET")
    return Snippet("Monitoring → Alerting → Edit notification channels → Webhooks", f"Endpoint URL: {way.url}{proof}")


def _newrelic(way: Way) -> Snippet:
    proof = way.if_secret("\nCustom header: Authorization: Bearer SECRET")
    return Snippet(
        "Alerts → Destinations → Webhook, then a workflow with the default payload", f"Endpoint URL: {way.url}{proof}"
    )


def _nagios(way: Way) -> Snippet:
    macros = (
        "NOTIFICATIONTYPE HOSTNAME HOSTADDRESS HOSTSTATE HOSTOUTPUT SERVICEDESC SERVICESTATE SERVICEOUTPUT "
        "LONGSERVICEOUTPUT LASTSERVICESTATECHANGE LASTHOSTSTATECHANGE SERVICENOTESURL NOTIFICATIONAUTHOR "
        "NOTIFICATIONCOMMENT TIMET"
    )
    fields = " ".join(f'--data-urlencode "{macro}=${macro}$"' for macro in macros.split())
    proof = way.if_secret(' -H "Authorization: Bearer SECRET"')
    return Snippet(
        "a command in Nagios' objects, for hosts and for services",
        "define command {\n  command_name  notify-tocsin\n"
        f"  command_line  /usr/bin/curl -fsS --max-time 20 {fields}{proof} {way.url}\n}}",
        "A form, because the output of plugins breaks JSON that is pasted together.",
    )


def _github(way: Way) -> Snippet:
    proof = way.if_secret("\nSecret: SECRET")
    return Snippet(
        "the repository's or organisation's Settings → Webhooks → Add webhook",
        f"Payload URL: {way.url}\nContent type: application/json{proof}\nEvents: Workflow runs",
    )


def _gitlab(way: Way) -> Snippet:
    proof = way.if_secret("\nSecret token: SECRET")
    return Snippet(
        "the project's or group's Settings → Webhooks", f"URL: {way.url}{proof}\nTrigger: Pipeline events, Job events"
    )


def _pagerduty(way: Way) -> Snippet:
    return Snippet(
        "wherever events.pagerduty.com stands",
        f"URL: {way.url}\nRouting key: {KEY}",
        "Nothing else changes at the sender.",
    )


def _opsgenie(way: Way) -> Snippet:
    return Snippet(
        "wherever api.opsgenie.com stands",
        f"API URL: {way.base_url}\nAPI key: {KEY}",
        "Nothing else changes at the sender.",
    )


def _generic(way: Way) -> Snippet:
    proof = way.if_secret(" -H 'Authorization: Bearer SECRET'")
    return Snippet(
        "anything that can send a request",
        f"curl {way.url}{proof} -H 'Content-Type: application/json' \\\n"
        '  -d \'{"title": "Disk of db-1 is 97 % full", "dedup_key": "db-1/disk", "severity": "high"}\'',
        'The same with "status": "resolved" ends it.',
    )


SNIPPETS: Mapping[str, Callable[[Way], Snippet]] = {
    "alertmanager": _alertmanager,
    "azure-monitor": _azure_monitor,
    "cloudwatch": _cloudwatch,
    "datadog": _datadog,
    "email": _email,
    "gcp-monitoring": _gcp_monitoring,
    "generic": _generic,
    "github": _github,
    "gitlab": _gitlab,
    "grafana": _grafana,
    "healthchecks": _healthchecks,
    "nagios": _nagios,
    "newrelic": _newrelic,
    "opsgenie": _opsgenie,
    "pagerduty": _pagerduty,
    "sentry": _sentry,
    "uptime-kuma": _uptime_kuma,
    "zabbix": _zabbix,
}
