import { PreTrainedTokenizer } from "@xenova/transformers";
import type { Tokenizer } from "../../../../src/data/index.js";

/** What transformers.js makes of a tokenizer's files: ids of a text, their text, the end id. */
export async function hubIds(
  tokenizer: Tokenizer,
  text: string,
): Promise<{ ids: number[]; text: string; endId: number | undefined }> {
  const json = JSON.parse(JSON.stringify(tokenizer.toJson())) as object;
  const hub = new PreTrainedTokenizer(json, { ...tokenizer.toConfigJson() });
  const ids = hub.encode(text, { add_special_tokens: true });
  const endId = (hub as unknown as { eos_token_id?: number }).eos_token_id;
  const decoded = hub.decode([...ids, ...tokenizer.endIds], { skip_special_tokens: true });
  return { ids, text: decoded, endId };
}
