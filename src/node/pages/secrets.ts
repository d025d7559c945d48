const secret = /key|token|secret|password|credential|authorization|cookie/i;
/** Names of variables that hold secrets, and fields of models and tokenizers: no secrets themselves. */
const open = /Variable$|tokenizer|tokens|^num|^max/i;

/**
 * A config as it may be shown to others: the values of fields that sound like secrets are `[hidden]`, and so are user,
 * password and query of addresses.
 */
export function withoutSecrets(value: unknown, name = ""): unknown {
  if (typeof value === "string") {
    return secret.test(name) && !open.test(name) ? "[hidden]" : withoutUser(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => withoutSecrets(inner, name));
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner, key)]);
  return Object.fromEntries(entries) as unknown;
}

function withoutUser(text: string): string {
  if (!/^https?:\/\//i.test(text)) return text;
  return text.replace(/^(https?:\/\/)[^/?#]*@/i, "$1[hidden]@").replace(/\?[^#]*/, "?[hidden]");
}
