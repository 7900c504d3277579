"""The look of a review on screen, on a phone and on paper. One string, because the file it goes into is complete."""

from markupsafe import Markup

CSS = Markup("""
:root { --ink: #1c2430; --soft: #5b6675; --line: #dde2e8; --wash: #f6f7f9; --link: #1f4f8f;
  --bad: #a4262c; --warn: #8a5a00; --good: #2d6a3e; --held: #5b3f99; color-scheme: light; }
* { box-sizing: border-box; }
html { font-size: 15px; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #fff; color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
h1, h2 { line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; }
h1 { font-size: 1.75rem; margin: 0.25rem 0 0.75rem; }
h2 { font-size: 1.15rem; margin: 0 0 0.75rem; }
h2 .number { color: var(--soft); font-weight: 500; margin-right: 0.5rem; font-variant-numeric: tabular-nums; }
p { margin: 0 0 0.75rem; }
ul, ol { margin: 0 0 0.75rem; padding-left: 1.25rem; }
code { font: 0.86em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: var(--wash); border: 1px solid var(--line); border-radius: 4px; padding: 0.75rem; overflow-x: auto; }
blockquote { margin: 0 0 0.75rem; padding: 0.1rem 0 0.1rem 0.9rem; border-left: 3px solid var(--soft); }
blockquote p { margin: 0.25rem 0; }

.kicker { color: var(--soft); font-size: 0.85rem; margin: 0; }
.badges { display: flex; flex-wrap: wrap; gap: 0.4rem; margin: 0 0 0.75rem; padding: 0; list-style: none; }
.badges li { border: 1px solid var(--line); border-radius: 3px; padding: 0.05rem 0.5rem; font-size: 0.85rem; }
.badges .critical { background: var(--bad); border-color: var(--bad); color: #fff; }
.badges .high { border-color: var(--bad); color: var(--bad); }
.badges .medium { border-color: var(--warn); color: var(--warn); }
.badges .constitutional { border-color: var(--held); color: var(--held); }
.meta { color: var(--soft); font-size: 0.9rem; }
.durations { display: grid; grid-template-columns: repeat(4, 1fr); margin: 1.5rem 0;
  border: 1px solid var(--line); border-radius: 4px; }
.durations div { padding: 0.7rem 0.9rem; border-left: 1px solid var(--line); }
.durations div:first-child { border-left: 0; }
.durations dt { color: var(--soft); font-size: 0.8rem; }
.durations dd { margin: 0; font-size: 1.1rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.durations .unknown { color: var(--soft); font-weight: 400; }
.legend { color: var(--soft); font-size: 0.9rem; }
nav { border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: 1rem 0 0.4rem; }
nav h2 { font-size: 0.9rem; margin-bottom: 0.5rem; }
nav ol { columns: 3; column-gap: 2rem; list-style: none; padding: 0; margin: 0 0 0.6rem; font-size: 0.88rem; }
nav li { break-inside: avoid; display: flex; gap: 0.5rem; padding: 0.1rem 0; }
nav .number { color: var(--soft); min-width: 1.6rem; font-variant-numeric: tabular-nums; }
nav a { color: inherit; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav .open a::after { content: " ○"; color: var(--warn); }

section { padding: 1.75rem 0 0.75rem; border-bottom: 1px solid var(--line); }
section:last-of-type { border-bottom: 0; }
.mark { display: inline-block; color: var(--soft); font-size: 0.68rem; letter-spacing: 0.06em; font-weight: 600;
  border: 1px solid var(--line); border-radius: 3px; padding: 0 0.35rem; margin: 0 0 0.6rem; }
.people { margin: 0.5rem 0 0.75rem; }
.byline { color: var(--soft); font-size: 0.85rem; margin-bottom: 0.4rem; }
.unwritten { border: 1px dashed #b9a36b; background: #fdfaf1; border-radius: 4px; padding: 0.65rem 0.9rem;
  margin: 0.75rem 0; font-size: 0.92rem; }
.unwritten strong { color: var(--warn); font-weight: 650; }
.unwritten ul { margin: 0.35rem 0 0; color: var(--soft); }

.table { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.86rem; line-height: 1.45; overflow-wrap: normal; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1px solid #b8c0ca;
  padding: 0.3rem 0.75rem 0.3rem 0; vertical-align: bottom; white-space: nowrap; }
td { border-bottom: 1px solid var(--line); padding: 0.35rem 0.75rem 0.35rem 0; vertical-align: top;
  font-variant-numeric: tabular-nums; }
td.long { overflow-wrap: anywhere; min-width: 10rem; }
td.moment { white-space: nowrap; }
.table.facts td:first-child { color: var(--soft); width: 14rem; }
.table.facts thead { display: none; }
.table.facts tr:first-child td { border-top: 1px solid var(--line); }
td.good { color: var(--good); }
td.bad { color: var(--bad); font-weight: 600; }
td.held { color: var(--held); font-weight: 600; }
td.unknown { color: var(--soft); }
tr:target td { background: #fff6d6; }
footer { color: var(--soft); font-size: 0.85rem; padding-top: 1.5rem; }

@media (max-width: 44rem) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.4rem; }
  nav ol { columns: 1; }
  .durations { grid-template-columns: 1fr 1fr; }
  .durations div:nth-child(odd) { border-left: 0; }
  .durations div:nth-child(n+3) { border-top: 1px solid var(--line); }
  thead { display: none; }
  table, tbody, tr, td { display: block; width: auto; }
  tr { border-top: 1px solid var(--line); padding: 0.45rem 0; }
  tbody tr:first-child { border-top: 0; }
  td, .table.facts tr:first-child td { border: 0; padding: 0.08rem 0; }
  td[data-label] { position: relative; padding-left: 8rem; min-height: 1.6em; overflow-wrap: anywhere; }
  td[data-label]::before { content: attr(data-label); position: absolute; left: 0; width: 7.4rem;
    color: var(--soft); font-weight: 400; }
  .table.facts td { padding-left: 0; }
  .table.facts td::before { content: none; }
  .table.facts td:first-child { width: auto; font-size: 0.8rem; }
}

@page { size: A4; margin: 18mm 16mm 20mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5b6675; } }
@media print {
  html { font-size: 9.5pt; }
  body { line-height: 1.45; }
  main { max-width: none; padding: 0; }
  a { color: inherit; text-decoration: none; }
  section { padding: 5mm 0 2mm; }
  .mark { display: block; width: fit-content; }  /* only a block keeps what follows on its page */
  h2, .mark, .byline, p:has(+ .table), p:has(+ ul) { break-after: avoid; }
  tr, .unwritten, .durations, blockquote { break-inside: avoid; }
  tr:has(td.moment ~ td.moment) td.moment { white-space: normal; }  /* several do not fit beside each other */
  thead { display: table-header-group; }
  .table { overflow: visible; }
  .badges li, .unwritten { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
""")
