/**
 * The style sheet of reports: light and dark, screen, phone and paper. Line colours are told apart by people who see no
 * red or no green, keep 3:1 to the page, and each line has a dash pattern too. Figures out of view are laid out only
 * when the page has opened, which its script says.
 */

export const REPORT_STYLE = `
:root{--page:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#d0d7de;--fill:#f6f8fa;--bad:#b42318;--good:#116b3a;--warn:#fff4d6;--focus:#0550ae;
--c0:#0064a8;--c1:#c2500a;--c2:#00785a;--c3:#a3418a;--c4:#7a5c00;--c5:#3b4a5a;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--page:#0f1419;--ink:#e6edf3;--soft:#9aa7b4;--edge:#323b46;--fill:#171e26;--bad:#ff8b7f;--good:#5fd08f;--warn:#33290b;--focus:#79b8ff;
--c0:#62b5f5;--c1:#f2994a;--c2:#3ecf9f;--c3:#e39ad0;--c4:#e5c445;--c5:#b6c2cf}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
body>*{max-width:62rem;margin-inline:auto;padding-inline:1rem}
header{padding-block:2rem .5rem}
.kicker{margin:0;max-width:none;color:var(--soft);overflow-wrap:anywhere}
h1{margin:.25rem 0 .75rem;font-size:1.9rem;line-height:1.2;text-wrap:balance;overflow-wrap:anywhere}
h1.bad,.bad{color:var(--bad)}.good{color:var(--good)}
h2{margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--edge);font-size:1.35rem;line-height:1.25}
h3{margin:0;font-size:1.05rem}section>h3{margin-top:1.5rem}
h4{margin:1rem 0 .25rem;font-size:.95rem}h4 small{font-weight:400}
small,figcaption p,.who{color:var(--soft)}
p{max-width:46rem;text-wrap:pretty}
a{color:var(--focus)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0 0;padding:0;list-style:none;font-size:.9rem}
nav a{display:inline-block;padding:.2rem 0}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:2px}
.warnings{margin-top:1rem;padding:.25rem 1rem;background:var(--warn);border:1px solid var(--edge);border-left:4px solid var(--c4);border-radius:4px;max-width:60rem}
.warnings ul,.plain{margin:.5rem 0;padding-left:1.1rem}
.plain{padding-left:0;list-style:none}
.key-figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem;margin:1rem 0}
.key-figures>div{padding:.6rem .8rem;background:var(--fill);border:1px solid var(--edge);border-radius:6px}
dt{color:var(--soft);font-size:.9rem}dd{margin:0;overflow-wrap:anywhere}
.key-figures b{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}
.key-figures small{display:block;line-height:1.3}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));gap:.25rem 2rem;margin:0}
.facts>div{display:grid;grid-template-columns:9.5rem 1fr;gap:.5rem;padding:.2rem 0;border-bottom:1px solid var(--edge)}
figure{margin:1.75rem 0;break-inside:avoid}
figcaption p{margin:.15rem 0 .35rem;font-size:.92rem}
.plot{position:relative}
.chart{display:block;width:100%;height:auto;overflow:visible}
.line{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}.c5{stroke:var(--c5)}
.c1,.c4{stroke-dasharray:7 3}.c2,.c5{stroke-dasharray:2.5 3}.d1{stroke-dasharray:11 3 2 3}.d2{stroke-dasharray:1 5}
.grid,.base,.tick,.reference{stroke:var(--edge);stroke-width:1;vector-effect:non-scaling-stroke;fill:none}
.base,.tick{stroke:var(--soft)}.reference{stroke:var(--ink);stroke-dasharray:4 4}
.interval{fill:none;stroke-width:3;stroke-dasharray:none;stroke-linecap:round}.middle{fill:none;stroke-width:11;stroke-dasharray:none;stroke-linecap:round}
.mark{fill:none;stroke-width:1;stroke-dasharray:3 2;vector-effect:non-scaling-stroke}.mark.loss{stroke:var(--bad)}.mark.pause{stroke:var(--c4)}.mark.stop{stroke:var(--ink)}
.band{opacity:.16}.band.loss{fill:var(--bad)}.band.pause{fill:var(--c4)}.band.stop{fill:var(--ink)}
.mark-label.loss{fill:var(--bad);color:var(--bad)}.mark-label.pause{fill:var(--c4);color:var(--c4)}.mark-label.stop{fill:var(--ink);color:var(--ink)}
.events{margin:.25rem 0;padding-left:2.2rem;max-width:58rem}.events li{margin:.15rem 0;overflow-wrap:anywhere}.events b{font-variant-numeric:tabular-nums}
.shade{fill:var(--soft);opacity:.13}.bar{fill:var(--bad)}
.label{fill:var(--soft);font-size:9.5px;font-variant-numeric:tabular-nums;paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
.mid{text-anchor:middle}.end{text-anchor:end}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.25rem;margin:.35rem 0;padding:0;list-style:none;font-size:.9rem}
.legend li{display:flex;align-items:center;gap:.4rem;overflow-wrap:anywhere}
.key{width:28px;height:10px;flex:none}
.sparks{display:grid;grid-template-columns:repeat(auto-fill,minmax(6.5rem,1fr));gap:.4rem .8rem;margin:.25rem 0 0;padding:0;list-style:none}
.spark{display:block;width:100%;height:2.25rem}.who{font-size:.8rem;white-space:nowrap;font-variant-numeric:tabular-nums}.who b{color:var(--ink)}
.scroll{overflow-x:auto;max-height:26rem;overflow-y:auto}.scroll+.scroll{margin-top:1rem}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .75rem;border-bottom:1px solid var(--edge);text-align:right;white-space:nowrap;vertical-align:top}
th:first-child{padding-left:0;text-align:left}
thead th{color:var(--soft);font-weight:600;background:var(--page);position:sticky;top:0;white-space:normal;vertical-align:bottom}
tbody th{font-weight:500}
.words{text-align:left;white-space:normal;overflow-wrap:anywhere}td.words{min-width:11rem}
.long{display:inline-block;min-width:8rem;white-space:normal;overflow-wrap:anywhere}
.books tr:nth-child(-n+2) td:not(.words){font-weight:700}
details{margin:.35rem 0}summary{display:inline-block;padding:.2rem .1rem;cursor:pointer;color:var(--soft);font-size:.9rem}
summary::before{content:"\\25b8";display:inline-block;width:1.1em}details[open]>summary::before{content:"\\25be"}summary::-webkit-details-marker{display:none}
pre{margin:.5rem 0;padding:.75rem 1rem;background:var(--fill);border:1px solid var(--edge);border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.88rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
td code{font-size:.85rem}
button{margin:.25rem .4rem .25rem 0;padding:.25rem .75rem;font:inherit;font-size:.9rem;color:var(--ink);background:var(--fill);border:1px solid var(--soft);border-radius:5px;cursor:pointer}
button:hover{border-color:var(--ink)}
.zoomed>.chart{display:none}.u-legend{text-align:left;margin:0;color:var(--ink)}.u-legend th,.u-legend td{border:0}.u-select{background:color-mix(in srgb,var(--c0) 25%,transparent)}
.zoomed+.legend{display:none}
footer{padding-block:2rem 3rem;color:var(--soft);font-size:.9rem}
@media (max-width:60rem){.label{font-size:11px}}
@media (max-width:36rem){h1{font-size:1.45rem}.label{font-size:21px;stroke-width:5px}.x{transform:translateY(5px)}.chart{margin-bottom:.3rem}.second,.mark-name{display:none}.key-figures{grid-template-columns:1fr 1fr}.facts>div{grid-template-columns:8rem 1fr}th,td{padding-inline:.5rem}.books .words{min-width:0}}
@media screen and (scripting:enabled){html:not(.whole) figure{content-visibility:auto;contain-intrinsic-size:auto 24rem;overflow-clip-margin:1rem}}
@media print{:root{--page:#fff;--ink:#000;--soft:#444;--edge:#bbb;--fill:#fff;--bad:#b42318;--good:#116b3a;--warn:#fff;--c0:#0064a8;--c1:#c2500a;--c2:#00785a;--c3:#a3418a;--c4:#7a5c00;--c5:#3b4a5a;color-scheme:light}
@page{margin:14mm}body{font-size:10.5pt}body>*{max-width:none;padding-inline:0}header{padding-top:0}nav,details,button,.u-wrap,.uplot{display:none}.zoomed>.chart{display:block}.zoomed+.legend{display:flex}
.scroll{max-height:none;overflow:visible}table{font-size:8.5pt}th,td{padding-inline:.3rem;white-space:normal}h2{break-after:avoid}.sparks li,tr,.key-figures>div{break-inside:avoid}.label{font-size:9.5px}thead th{position:static}}
`;
