import type { Tokenizer } from "../types.js";

/**
 * The text that a completion adds to its prompt. A completion decoded alone may look different:
 * tokenizers such as Llama's drop the space before the first word of a text.
 */
export function decodeCompletion(
  { decode }: Pick<Tokenizer, "decode">,
  promptIds: readonly number[],
  completionIds: readonly number[],
): string {
  const prompt = decode(promptIds);
  const whole = decode([...promptIds, ...completionIds]);
  return whole.startsWith(prompt) ? whole.slice(prompt.length) : decode(completionIds);
}
