import { expect, test } from "vitest";
import { parameterGroups } from "../../../../src/models/index.js";
import { tinyConfigs, tinyDecoder } from "../tiny-models.js";

test.each(Object.entries(tinyConfigs))("%s: the groups are all of its parameters", (_, config) => {
  using decoder = tinyDecoder(config);
  const groups = parameterGroups(config);
  const sizeOf = (pattern: RegExp) =>
    [...decoder.parameters]
      .filter(([name]) => pattern.test(name))
      .reduce((sum, [, { size }]) => sum + size, 0);
  expect(groups).toEqual({
    embedding: sizeOf(/embed_tokens|wte|wpe/),
    attention: sizeOf(/(self_attn\.[qkvo]_proj|attn\.c_(attn|proj))\./),
    mlp: sizeOf(/mlp\./),
    norms: sizeOf(/norm\.|ln_[12f]\./),
    head: sizeOf(/lm_head/),
  });
  expect(groups.head > 0).toBe(!config.tieWordEmbeddings);
  const all = Object.values(groups).reduce((sum, size) => sum + size, 0);
  expect(all).toBe(decoder.numParameters);
});
