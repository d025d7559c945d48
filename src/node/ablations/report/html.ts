import { armColours } from "./colours.js";
import { aboutLines, type Report, verdictLines } from "./content.js";
import type { Table } from "./tables.js";

/** One page that needs nothing else: no script, no network; readable in the dark and on paper. */
export function htmlReport(report: Report): string {
  const { plan, results, summary, tables, drawings, command, environment } = report;
  const about = aboutLines(report);
  const result = results.verdict?.result ?? "no claim";
  const legend = Object.entries(armColours(plan.arms.map(({ name }) => name)))
    .map(([arm, colour]) => `<li><span style="background:${colour}"></span>${text(arm)}</li>`)
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(plan.name)}</title>
<style>${styles}</style>
</head>
<body>
<main>
<h1>${text(plan.name)}</h1>
${about
  .slice(0, 1)
  .map((line) => `<p class="paper">${linked(line)}</p>`)
  .join("")}
<section class="verdict" data-result="${text(result)}">
${verdictOf(report)}
</section>
${about
  .slice(1)
  .map((line) => `<p>${linked(line)}</p>`)
  .join("\n")}
${summary.map(tableOf).join("\n")}
<ul class="legend" aria-label="Colours of the arms">${legend}</ul>
<div class="plots">
${drawings.map(({ svg, title }) => `<figure>${svg}<figcaption>${text(title)}</figcaption></figure>`).join("\n")}
</div>
${tables.map(tableOf).join("\n")}
<h2>How it was made</h2>
<pre>${text(command)}</pre>
<p>${text(environment)}</p>
</main>
</body>
</html>
`;
}

function tableOf({ title, head, rows, note, links = [] }: Table): string {
  const kinds = head.map((_, column) => kindOf(rows.map((row) => row[column] ?? "")));
  const cells = (tag: string, list: readonly string[]) =>
    list.map((cell, i) => `<${tag}${kinds[i]}>${text(cell)}</${tag.split(" ")[0]}>`).join("");
  return `<h2>${text(title)}</h2>
<div class="scroll" tabindex="0"><table><thead><tr>${cells('th scope="col"', head)}</tr></thead>
<tbody>${rows.map((row, i) => `<tr>${linkedRow(cells("td", row), links[i])}</tr>`).join("\n")}</tbody></table></div>
${note === undefined ? "" : `<p class="note">${text(note)}</p>`}`;
}

/** The last cell leads there. */
function linkedRow(cells: string, link: string | undefined): string {
  if (link === undefined) return cells;
  return cells.replace(/>([^<]*)<\/td>$/, `><a href="${text(link)}">$1</a></td>`);
}

/** Characters beyond which a cell is broken into lines. */
const longText = 60;

/** How a column is set: numbers to the right, long texts in lines. */
function kindOf(cells: readonly string[]): string {
  const isNumber = (cell: string) => /^(—|[[−+-]?\d)/.test(cell) || /^-?(Infinity|NaN)/.test(cell);
  if (cells.length > 0 && cells.every(isNumber)) return ' class="number"';
  return cells.some(({ length }) => length > longText) ? ' class="long"' : "";
}

/** What is said of the verdict; the rule, which is long, on demand. */
function verdictOf(report: Report): string {
  const lines = verdictLines(report).map((line) => {
    const html = text(line).replaceAll(/\*\*(.+?)\*\*/g, "<strong>$1</strong>");
    const [, head, rest] = /^(Rule, [^:]+): (.*)$/s.exec(html) ?? [];
    if (head === undefined) return `<p>${html}</p>`;
    return `<details><summary>${head}</summary><p>${rest}</p></details>`;
  });
  return lines.join("\n");
}

/** A text in which addresses lead there. */
function linked(line: string): string {
  return text(line).replaceAll(/https?:\/\/[^\s;,)]+[^\s;,.)]/g, '<a href="$&">$&</a>');
}

function text(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

const styles = `
:root { color-scheme: light dark; --line: #d5d9df; --quiet: #555c66; --page: #ffffff; --card: #ffffff; --ink: #16191d; --link: #005a8c; }
@media (prefers-color-scheme: dark) { :root { --line: #333a43; --quiet: #a9b2bd; --page: #14171a; --card: #1b1f24; --ink: #e8eaed; --link: #6db9e8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 16px 72px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; } h2 { font-size: 1.1rem; margin: 40px 0 8px; }
a { color: var(--link); }
p { max-width: 78ch; margin: 6px 0; }
.paper, .note, summary { color: var(--quiet); }
.verdict { border: 1px solid var(--line); border-left: 5px solid var(--quiet); border-radius: 6px; background: var(--card); padding: 12px 18px; margin: 20px 0; }
.verdict[data-result="supported"] { border-left-color: #009e73; }
.verdict[data-result="contradicted"] { border-left-color: #d55e00; }
.verdict strong { font-size: 1.15em; }
summary { cursor: pointer; margin: 6px 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 8px 0; margin: 16px 0 8px; position: sticky; top: 0; background: var(--page); z-index: 1; }
.legend span { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 12px; display: flex; flex-direction: column; justify-content: space-between; }
figure svg { width: 100%; height: auto; margin: auto 0; background: none !important; color: inherit !important; }
figcaption { color: var(--quiet); font-size: 0.88rem; margin-top: 8px; }
@media (prefers-color-scheme: dark) { figure svg, .legend span { filter: brightness(1.4); } }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.93rem; }
th, td { text-align: left; vertical-align: top; padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { border-bottom-color: var(--quiet); font-weight: 600; }
.number { text-align: right; }
.long { white-space: normal; min-width: 34ch; max-width: 90ch; overflow-wrap: anywhere; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--page); }
.note { font-size: 0.9rem; }
pre { overflow-x: auto; padding: 10px 14px; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
@media (max-width: 480px) { th:first-child, td:first-child { max-width: 40vw; white-space: normal; } }
@media print { .scroll { overflow: visible; } .legend { position: static; } figure { break-inside: avoid; } }
`;
