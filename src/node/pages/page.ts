import { createHash } from "node:crypto";
import { type Html, html, trusted } from "./html.js";
import type { Section } from "./sections.js";
import { styles } from "./styles.js";

export interface PageOptions {
  readonly title: string;
  /** Under the title: where the page comes from. */
  readonly about: Html;
  readonly sections: readonly Section[];
  readonly scripts: readonly string[];
  /** Whether it is served, so that scripts and forms may ask the server that it is from. Default: false. */
  readonly isServed?: boolean;
}

/** A page in one file: nothing is loaded from anywhere, and the browser is told to refuse it. */
export function pageOf({ title, about, sections, scripts, isServed }: PageOptions): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyOf(scripts, isServed)}">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(styles)}</style>
</head>
<body>
<main>
<header><h1>${title}</h1>${about}</header>
<nav aria-label="Parts of this page"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
${sections.map(sectionOf)}
</main>
${scripts.map((script) => html`<script>${trusted(script)}</script>`)}
</body>
</html>
`.html;
}

const sectionOf = ({ id, title, body }: Section) =>
  html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><div data-section="${id}">${body}</div></section>
`;

/** Only these very scripts run. */
export function policyOf(scripts: readonly string[], isServed = false): string {
  const own = isServed ? "'self'" : "'none'";
  const hashes = scripts.map(
    (script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
  const rules = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src ${hashes.length === 0 ? "'none'" : hashes.join(" ")}`,
    "img-src data:",
    `connect-src ${own}`,
    "base-uri 'none'",
    `form-action ${own}`,
  ];
  return rules.join("; ");
}
