/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | undefined | readonly Part[];

/**
 * HTML of a template: what is put into it is escaped unless it is HTML itself, so that nothing that a model or a
 * config says can become markup. Undefined is nothing, a list its parts one after another.
 */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const texts = pieces.map((piece, i) => (i === 0 ? piece : textOf(parts[i - 1]) + piece));
  return { html: texts.join("") };
}

/** Marks what was made by ourselves as HTML: drawings and styles. */
export const trusted = (text: string): Html => ({ html: text });

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return "html" in part ? part.html : part.map(textOf).join("");
}

/** As text or in the quotes of an attribute. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
