"""Who is woken, how, in what order, until when.

An incident *uses* this package: "wake someone, until I say stop". It knows an incident only as an id
and a frozen `Brief` (what a page may say), so paging can be simulated with no incident code.
"""
