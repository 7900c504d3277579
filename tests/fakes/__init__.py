"""Stand-ins for the providers, on loopback: they keep state, answer as the providers do, and fail when told to.

`providers.FakeProviders` serves Slack, Twilio and a webhook receiver on one port; `smtp.FakeMailServer` is a mail
server. What they sign is signed by hand, by the providers' published schemes, and not by the libraries under test.
"""
