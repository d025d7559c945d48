/**
 * Whether an answer stands in a text by itself, not as part of a longer word or number: `122` does in
 * `so 122.`, and does not in `1220` or `1.122`.
 */
export function givesAway(text: string, answer: string): boolean {
  const pattern = standing(answer);
  return pattern !== undefined && pattern.test(text);
}

/** The text with a mask wherever the answer stands by itself. */
export function maskAnswer(text: string, answer: string, mask: string): string {
  const pattern = standing(answer);
  return pattern === undefined ? text : text.replace(pattern, () => mask);
}

/** The completion without the final answer, and the separator before it, where it ends with them. */
export function beforeAnswer(completion: string, answer: string, separator = ""): string {
  const ending = separator + answer.trim();
  const text = completion.trimEnd();
  return answer.trim() !== "" && text.endsWith(ending) ? text.slice(0, -ending.length) : completion;
}

function standing(answer: string): RegExp | undefined {
  const text = answer.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (text === "") return undefined;
  const [before, behind] = ["(?<![\\p{L}\\p{N}])(?<!\\p{N}\\.)", "(?![\\p{L}\\p{N}])(?!\\.\\p{N})"];
  return new RegExp(before + text + behind, "gu");
}
