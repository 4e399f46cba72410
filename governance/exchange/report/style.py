"""How the page looks: calm, readable at 5:1 in light and dark, on a telephone and on paper; nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#fbfbfa", "sheet": "#ffffff", "ink": "#1d2125", "soft": "#565e66", "line": "#dfe2e5",
    "bad": "#a3201b", "bad-bg": "#fdeeec", "unknown": "#7a4b00", "unknown-bg": "#fdf3e0",
    "good": "#17643a", "good-bg": "#e9f5ee", "quiet": "#565e66", "quiet-bg": "#f1f2f3", "link": "#1a4f9c",
}  # fmt: skip
DARK: Mapping[str, str] = {
    "page": "#14171a", "sheet": "#1a1e22", "ink": "#e4e7ea", "soft": "#a6afb8", "line": "#333a41",
    "bad": "#ff9d94", "bad-bg": "#3a1d1b", "unknown": "#f0bf66", "unknown-bg": "#35290f",
    "good": "#83d3a2", "good-bg": "#16301f", "quiet": "#a6afb8", "quiet-bg": "#242a30", "link": "#8ab8ff",
}  # fmt: skip
"""Inks are bad, unknown, good, quiet, link, ink and soft; each is read on page and sheet, and on its own -bg."""

_RULES = """
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:72rem;margin:0 auto;padding:2.5rem 1.25rem 5rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .25rem;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.35rem;margin:3rem 0 .75rem;letter-spacing:-.005em}
h3{font-size:1.08rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}
h4{font-size:.95rem;margin:1.5rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.5rem 0;max-width:48rem;overflow-wrap:anywhere}
.lead{color:var(--soft);margin:0}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1.25rem 0 1.75rem;font-size:.95rem}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:.15em;overflow-wrap:anywhere}
.aside{color:var(--soft);font-size:.9em}
.aside,.note{overflow-wrap:anywhere}
code{font:.87em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.loud{border-left:4px solid var(--bad);background:var(--bad-bg);color:var(--ink);padding:.6rem .9rem;max-width:none}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.25rem 0;padding:0;
list-style:none}
.tiles li{background:var(--sheet);border:1px solid var(--line);border-radius:10px;padding:.75rem .9rem}
.tiles b{display:block;font-size:1.6rem;line-height:1.2;font-variant-numeric:tabular-nums}
.tiles span{color:var(--soft);font-size:.86rem;line-height:1.3;display:block}
.tiles .bad b{color:var(--bad)}.tiles .unknown b{color:var(--unknown)}
.mark{display:inline-block;white-space:nowrap;border-radius:6px;padding:.05rem .45rem;font-size:.86rem;font-weight:600}
.mark.bad{color:var(--bad);background:var(--bad-bg)}.mark.unknown{color:var(--unknown);background:var(--unknown-bg)}
.mark.good{color:var(--good);background:var(--good-bg)}.mark.quiet{color:var(--quiet);background:var(--quiet-bg)}
.scroll{overflow-x:auto;background:var(--sheet);border:1px solid var(--line);border-radius:10px;margin:.75rem 0}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-top:1px solid var(--line)}
thead th{border-top:0;font-size:.82rem;font-weight:600;color:var(--soft);white-space:nowrap}
td{overflow-wrap:break-word;min-width:4rem;font-variant-numeric:tabular-nums}
td b{display:block;font-weight:600;min-width:9rem}
.model{white-space:nowrap}
dl{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.2rem 1.25rem;margin:.75rem 0;font-size:.95rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
details{background:var(--sheet);border:1px solid var(--line);border-radius:10px;margin:.6rem 0;padding:0 1rem}
details details{background:none}
summary{cursor:pointer;padding:.7rem 0;display:flex;flex-wrap:wrap;gap:.35rem .6rem;align-items:baseline}
summary::before{content:"▸";color:var(--soft)}details[open]>summary::before{content:"▾"}
summary::-webkit-details-marker{display:none}
summary b{font-weight:650;overflow-wrap:anywhere}
details[open]{padding-bottom:1rem}details>div{scroll-margin-top:4rem}
details .scroll{background:none}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
td :target{outline:2px solid var(--link);outline-offset:-2px}
figure{display:inline-block;margin:.5rem 1rem .5rem 0;max-width:100%}
figcaption{font-size:.88rem;color:var(--soft)}
.plot{max-width:100%;height:auto;display:block}.plot text{font-size:10.5px;fill:var(--soft)}
.plot .level{stroke:var(--line)}.plot .line{fill:none;stroke:var(--good);stroke-width:1.75;stroke-linejoin:round}
.plot .area{fill:var(--good-bg)}.plot .dot{fill:var(--good)}
.plot.bad .line{stroke:var(--bad)}.plot.bad .area{fill:var(--bad-bg)}.plot.bad .dot{fill:var(--bad)}
@media(max-width:40rem){
main{padding:1.5rem .9rem 4rem}h1{font-size:1.55rem}dl{grid-template-columns:7rem 1fr;gap:.2rem .75rem}
details{padding:0 .75rem}
thead{display:none}
table,tbody,tr,td{display:block;width:100%;min-width:0}
tr{border-top:1px solid var(--line);padding:.5rem 0}tr:first-child{border-top:0}
td{border:0;padding:.15rem .75rem .15rem 7.25rem;position:relative;min-height:1.9rem}
td::before{position:absolute;left:.75rem;width:6rem;color:var(--soft);font-size:.82rem;line-height:1.8}
.model{white-space:normal}
td:empty{display:none}
}
@media print{
:root{PRINT;--page:#fff}
body{font-size:9.5pt;line-height:1.4}table{font-size:8.5pt}h2{margin-top:1.5rem}h3{margin-top:1rem}main{max-width:none;padding:0}nav{display:none}
a{color:inherit;text-decoration:none}
details{border:0;padding:0;margin:0}summary::before{content:""}.mark{font-size:8.5pt}
details::details-content{content-visibility:visible;block-size:auto;display:block}
.scroll{overflow:visible;border:0}th,td{padding:.25rem .4rem}
h2,h3,h4,summary{break-after:avoid}tr,figure,.tiles li{break-inside:avoid}
thead{display:table-header-group}
#models>details{break-before:page}
@page{margin:16mm 14mm}
}
"""


def style(narrow: str = "") -> str:
    """Return the style sheet; `narrow` are further rules for narrow screens."""
    dark = f"@media(prefers-color-scheme:dark){{:root{{color-scheme:dark;{_variables(DARK)}}}}}"
    rules = _RULES.replace("PRINT", f"color-scheme:light;{_variables(LIGHT)}")
    named = f"@media(max-width:40rem){{{narrow}}}"
    return f":root{{color-scheme:light;{_variables(LIGHT)}}}{dark}{rules}{named}"


def _variables(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
