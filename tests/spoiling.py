"""Anything at all, and sound payloads with a part taken away or replaced: what bad senders send."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WORDS = ["firing", "resolved", "critical", "http://x.example.org/a", "2026-11-20T07:00:00Z", "k" * 32]
# NUL and its like, halves of pairs, separators that are line breaks to some; right to left, nothing to be seen at all,
# marks piled on one letter, and letters beyond the first plane.
ODD_TEXTS = [
    "nul \0 and \x1b[31mred",
    "half a pair \ud800 and \udfff",
    "two\u2028lines\u2029of text\x85",
    "evil \u202egpj.exe\u2066 isolate",
    "zero\u200b\u200d\ufeff\u2060width",
    "Z" + "\u0336\u0315\u0353" * 60 + "algo",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f4\U000e0067\U000e007f",
    "\U00020000 \U0010ffff \ufffe",
    "<script>alert(1)</script> <!channel> <@U0EVIL> *b* [x](javascript:alert(1)) | a & b",
    '=HYPERLINK("http://x","y")',
    " \t\r\n ",
    "long " * 300,
]

texts = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(ODD_TEXTS),
    st.text(st.characters(), max_size=20),
    st.text(st.characters(categories=["Cc", "Cs", "Zl", "Zp"]), max_size=6),
)


def values(floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | floats | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=6),
        max_leaves=20,
    )


anything = values(st.floats())  # Python writes NaN and Infinity too, which JSON does not have
json_values = values(st.floats(allow_nan=False, allow_infinity=False))


def spoil(draw: st.DrawFn, payload: Any, instead: st.SearchStrategy[Any] = anything) -> None:
    """Take one part of it away, at any depth, or put something else in its place."""
    inside = payload
    while isinstance(inside, dict | list) and inside:
        places = sorted(inside) if isinstance(inside, dict) else list(range(len(inside)))
        place = draw(st.sampled_from(places))
        if not isinstance(inside[place], dict | list) or not inside[place] or draw(st.integers(0, 3)) == 0:
            if draw(st.booleans()):
                inside[place] = draw(instead)
            else:
                del inside[place]
            return
        inside = inside[place]
