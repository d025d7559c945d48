import type { Tokenizer } from "../../data/index.js";

/** The files of a tokenizer beside a model. */
export function tokenizerFiles(tokenizer: Tokenizer): [string, string][] {
  return [
    ["tokenizer.json", jsonText(tokenizer.toJson())],
    ["tokenizer_config.json", jsonText(tokenizer.toConfigJson())],
  ];
}

export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
