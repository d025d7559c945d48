/**
 * Of all pages: light and dark as the reader's system is, on paper without what needs a pointer. Colours of series
 * are told apart by those who see few of them, and have 3 : 1 against their page; texts have 4.5 : 1.
 */
export const styles = `
:root { color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1b1e23; --quiet: #5a616b; --line: #dcdfe3; --accent: #0b5fa5; --warning: #b3470a; --good: #1a7f4b; --bad: #b3261e;
  --series-0: #0072b2; --series-1: #c24e00; --series-2: #007a5a; --series-3: #a9447f; --series-4: #7a6200; --series-5: #5b5fc7; --series-6: #8a3b2f; --series-7: #4d5560; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171a; --card: #1b1f24; --ink: #e9ebee; --quiet: #a7b0bb; --line: #333a42; --accent: #7cc0f5; --warning: #f0a35e; --good: #5fcf95; --bad: #f28b82;
  --series-0: #56b4e9; --series-1: #f0884d; --series-2: #3cc79a; --series-3: #e08fc0; --series-4: #e3c34d; --series-5: #a4a8ff; --series-6: #e0907f; --series-7: #b5bdc7; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1240px; margin: 0 auto; padding: 20px 20px 72px; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin-bottom: 4px; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 36px 0 12px; }
h3 { font-size: 0.95rem; margin: 0; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: 0 18px; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 4px 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
.note, .set, .unit { color: var(--quiet); font-size: 0.875rem; }
.note { margin: 8px 0 0; }
.cards, .charts { display: grid; gap: 14px; }
.cards { grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); }
.card, .chart { margin: 0; min-width: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; break-inside: avoid; }
.card:only-child { grid-column: 1 / -1; }
.card h3 { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; font-size: 1rem; }
.card progress { width: 100%; height: 6px; margin: 10px 0 4px; accent-color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px 16px; margin: 8px 0 0; }
dt { color: var(--quiet); font-size: 0.8rem; } dd { margin: 0; overflow-wrap: anywhere; }
.chip { font-size: 0.8rem; font-weight: 500; padding: 1px 9px; border-radius: 999px; border: 1px solid currentColor; color: var(--quiet); }
.chip.running { color: var(--accent); } .chip.finished { color: var(--good); } .chip.diverged, .chip.broken { color: var(--bad); } .chip.stopped { color: var(--warning); }
.dot { width: 12px; height: 12px; border-radius: 50%; flex: none; }
.chart { display: flex; flex-direction: column; } .chart > svg { display: block; width: 100%; height: auto; margin-top: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 4px 0 6px; padding: 0; list-style: none; font-size: 0.82rem; }
.legend li { display: flex; align-items: center; gap: 5px; white-space: nowrap; } .legend .name { color: var(--quiet); } .legend b { font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); font-weight: normal; white-space: nowrap; }
thead th { color: var(--quiet); font-size: 0.85rem; } .number { text-align: right; }
.wrap { display: block; max-width: 36ch; white-space: pre-wrap; overflow-wrap: anywhere; }
.samples .wrap { font: 0.85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
.samples td { min-width: 18ch; } .verdict { display: flex; gap: 6px; } .samples .set { display: block; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.warnings { margin: 0; padding-left: 20px; max-width: 90ch; } .warnings li { margin-bottom: 6px; } .remedy { color: var(--quiet); }
pre { overflow-x: auto; margin: 0; padding: 12px 14px; max-height: 420px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; font: 0.82rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.heat .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 24px; margin-bottom: 12px; font-size: 0.9rem; }
.heat fieldset { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 0; padding: 0; border: 0; } .heat legend { float: left; margin-right: 12px; padding: 0; color: var(--quiet); }
.heat .slider { display: flex; align-items: center; gap: 8px; } .heat output { min-width: 4ch; font-weight: 600; } .heat input { accent-color: var(--accent); }
.shades { display: flex; align-items: center; gap: 4px; margin: 0; padding: 0; list-style: none; font-size: 0.8rem; } .shades li { padding: 0 7px; border-radius: 4px; }
.texts { display: grid; } .texts > div { grid-area: 1 / 1; } .texts > div[hidden] { display: block; visibility: hidden; }
.text { margin-bottom: 10px; } .tokens { margin: 0; line-height: 2; font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.92rem; overflow-wrap: anywhere; }
.prompt { color: var(--quiet); margin-right: 4px; white-space: pre-wrap; }
.token { font: inherit; color: inherit; background: none; border: 0; border-radius: 4px; margin: 0 1px; padding: 1px 3px; min-width: 24px; cursor: default; }
.token[aria-current] { box-shadow: 0 0 0 2px var(--accent); }
.heat[data-by="f"] .f1, .heat[data-by="r"] .r1, .s1 { background: #fef0d9; color: #1b1e23; }
.heat[data-by="f"] .f2, .heat[data-by="r"] .r2, .s2 { background: #fdcc8a; color: #1b1e23; }
.heat[data-by="f"] .f3, .heat[data-by="r"] .r3, .s3 { background: #fc8d59; color: #1b1e23; }
.heat[data-by="f"] .f4, .heat[data-by="r"] .r4, .s4 { background: #d7301f; color: #ffffff; }
.heat[data-by="f"] .f5, .heat[data-by="r"] .r5, .s5 { background: #7f0000; color: #ffffff; }
@media (prefers-color-scheme: light) { .heat[data-by="f"] .f1, .heat[data-by="r"] .r1, .s1 { box-shadow: inset 0 0 0 1px #e7cfa6; } .heat .token[aria-current] { box-shadow: 0 0 0 2px var(--accent); } }
.detail { min-height: 208px; margin-bottom: 14px; padding: 12px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; font-size: 0.88rem; }
.detail .facts { display: flex; flex-wrap: wrap; gap: 0 20px; margin: 0 0 8px; } .detail .facts b { font-weight: 600; }
.detail .models { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; max-width: 720px; }
.detail h3 { margin: 0 0 4px; font-size: 0.82rem; font-weight: 500; color: var(--quiet); }
.bar { display: grid; grid-template-columns: 8ch 1fr 8ch; gap: 8px; align-items: center; line-height: 1.6; }
.bar span:first-child { font-family: ui-monospace, "DejaVu Sans Mono", monospace; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar i { display: block; height: 8px; border-radius: 2px; background: var(--series-0); } .bar .teacher { background: var(--series-1); } .bar span:last-child { text-align: right; white-space: nowrap; }
.spark { width: 96px; height: 22px; vertical-align: middle; } .search { display: flex; gap: 8px; align-items: center; margin: 12px 0; } .search input { font: inherit; padding: 4px 8px; border: 1px solid var(--quiet); border-radius: 6px; background: var(--card); color: inherit; }
.button { font: inherit; padding: 4px 12px; border: 1px solid var(--quiet); border-radius: 6px; background: var(--card); color: inherit; cursor: pointer; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; } .measure { color: var(--quiet); margin-right: 10px; } .measure b { color: var(--ink); font-weight: 600; } table .dot { display: inline-block; margin-right: 4px; }
.gone { padding: 8px 12px; border-left: 4px solid var(--bad); }
@media (max-width: 560px) { main { padding: 14px 14px 48px; } .detail .models { grid-template-columns: 1fr; } .detail { min-height: 380px; } }
@media print { main { max-width: none; padding: 0; } nav, .controls input, .detail { display: none; } .texts > div[hidden] { display: none; } .scroll { overflow: visible; } pre { max-height: none; white-space: pre-wrap; } .token, .shades li, .card, .chart { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .charts { grid-template-columns: 1fr 1fr; } h2 { break-after: avoid; } }
`;
