"""Slack's way back in: what people press, type and send there comes down to the same verbs as the API's.

`corridor` answers within Slack's three seconds and does the rest afterwards; `buttons`, `commands` and `forms` say what
is meant; `hub` and `form_views` draw the modal.
"""
