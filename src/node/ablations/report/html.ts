import { armColours } from "./colours.js";
import { aboutLines, type Report, verdictLines } from "./content.js";
import type { Table } from "./tables.js";

/** One page that needs nothing else: no script, no network; readable in the dark and on paper. */
export function htmlReport(report: Report): string {
  const { plan, results, tables, drawings, command, environment } = report;
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
${aboutLines(report)
  .map((line) => `<p class="about">${text(line)}</p>`)
  .join("\n")}
<section class="verdict" data-result="${text(result)}">
${verdictLines(report)
  .map((line) => `<p>${text(line).replaceAll(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")}</p>`)
  .join("\n")}
</section>
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
  const cells = (tag: string, list: readonly string[]) =>
    list.map((cell) => `<${tag}>${text(cell)}</${tag}>`).join("");
  return `<h2>${text(title)}</h2>
<div class="scroll" tabindex="0"><table><thead><tr>${cells('th scope="col"', head).replaceAll('</th scope="col">', "</th>")}</tr></thead>
<tbody>${rows.map((row, i) => `<tr>${linked(cells("td", row), links[i])}</tr>`).join("\n")}</tbody></table></div>
${note === undefined ? "" : `<p class="note">${text(note)}</p>`}`;
}

/** The last cell leads there. */
function linked(cells: string, link: string | undefined): string {
  if (link === undefined) return cells;
  return cells.replace(/<td>([^<]*)<\/td>$/, `<td><a href="${text(link)}">$1</a></td>`);
}

function text(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

const styles = `
:root { color-scheme: light dark; --line: #c8ccd2; --quiet: #555c66; --page: #ffffff; --ink: #16191d; }
@media (prefers-color-scheme: dark) { :root { --line: #3c434c; --quiet: #a9b2bd; --page: #14171a; --ink: #e8eaed; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; margin: 0 0 12px; } h2 { font-size: 1.1rem; margin: 32px 0 8px; }
.verdict { border-left: 4px solid var(--line); padding: 4px 16px; }
.verdict[data-result="supported"] { border-color: #009e73; }
.verdict[data-result="contradicted"] { border-color: #d55e00; }
.about { max-width: 80ch; margin: 4px 0; }
.verdict p { margin: 4px 0; max-width: 80ch; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; }
.legend span { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; align-items: start; }
figure { margin: 0; background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 8px; }
figure svg { width: 100%; height: auto; } figcaption { color: #555c66; font-size: 0.85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 50%; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.note { color: var(--quiet); font-size: 0.9rem; max-width: 80ch; }
pre { overflow-x: auto; padding: 8px 12px; border: 1px solid var(--line); border-radius: 6px; }
@media print { .scroll { overflow: visible; } figure { break-inside: avoid; } }
`;
