type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

/** What YAML 1.1 and 1.2 both read as the string that it is. */
const plain = /^[A-Za-z/][\w./-]*$/;
const words = /^(y|n|yes|no|on|off|true|false|null)$/i;

/** A value as YAML in block style; strings that could be read as something else are quoted as in JSON. */
export function toYaml(value: Value, indent = ""): string {
  if (isList(value)) {
    if (value.length === 0) return `${indent}[]\n`;
    return value
      .map((entry) => {
        if (!isBlock(entry)) return `${indent}- ${scalar(entry)}\n`;
        // The first line of the entry stands behind the dash.
        return `${indent}- ${toYaml(entry, `${indent}  `).trimStart()}`;
      })
      .join("");
  }
  if (typeof value !== "object") return `${indent}${scalar(value)}\n`;
  return Object.entries(value)
    .map(([key, entry]) => {
      const name = `${indent}${scalar(key)}:`;
      if (typeof entry === "string" && entry.endsWith("\n"))
        return `${name} |\n${block(entry, indent)}`;
      if (!isBlock(entry)) return `${name} ${scalar(entry)}\n`;
      return `${name}\n${toYaml(entry, `${indent}  `)}`;
    })
    .join("");
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** Whether a value has lines of its own. */
function isBlock(value: Value): value is readonly Value[] | { readonly [key: string]: Value } {
  return typeof value === "object" && Object.keys(value).length > 0;
}

function scalar(value: Value): string {
  if (typeof value === "string") {
    return plain.test(value) && !words.test(value) ? value : JSON.stringify(value);
  }
  return typeof value === "object" ? (isList(value) ? "[]" : "{}") : String(value);
}

/** A text of several lines as it is. */
function block(text: string, indent: string): string {
  const lines = text.slice(0, -1).split("\n");
  return lines.map((line) => (line === "" ? "\n" : `${indent}  ${line}\n`)).join("");
}
