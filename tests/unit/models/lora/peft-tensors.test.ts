import { expect, test } from "vitest";
import { addPeftAdapter } from "../../../../src/models/lora/peft-tensors.js";
import { parsePeftConfig } from "../../../../src/models/lora/peft-config.js";
import { tinyConfigs, tinyDecoder } from "../tiny-models.js";

/** Why an adapter with these tensors and targets is refused. */
function refusal(names: readonly string[], targets: readonly string[] = ["q_proj"]): string {
  using decoder = tinyDecoder(tinyConfigs["llama"]!);
  const config = { peft_type: "LORA", r: 2, lora_alpha: 2, target_modules: targets };
  const tensors = new Map(
    names.map((name) => [`base_model.model.${name}`, { data: new Float32Array(4), shape: [2, 2] }]),
  );
  try {
    addPeftAdapter(
      decoder,
      "a",
      parsePeftConfig(config, "c.json"),
      tensors as never,
      "a.safetensors",
    );
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

const rest = "; only the projections of the blocks can be adapted. Merge it in Python";

test("head and embeddings are refused by name: as LoRA matrices", () => {
  const lora = `a.safetensors: The adapter has LoRA matrices on lm_head${rest}`;
  expect(refusal(["lm_head.lora_A.weight", "lm_head.lora_B.weight"])).toContain(lora);
  expect(refusal([], ["q_proj", "lm_head"])).toContain(lora);
  expect(refusal([], ["lm_head", "embed_tokens"])).toContain(
    "has LoRA matrices on lm_head and model.embed_tokens;",
  );
});

test("or as copies of their own, which are named without the others", () => {
  expect(refusal(["model.embed_tokens.weight", "lm_head.lora_A.weight"])).toContain(
    `The adapter holds a copy of model.embed_tokens of its own (modules_to_save, or saved embeddings)${rest}`,
  );
  expect(refusal(["lm_head.weight"])).toContain("holds a copy of lm_head of its own");
  // Other tensors beside them are no copies.
  expect(refusal(["lm_head.lora_A.weight", "model.layers.0.mlp.x.weight"])).toContain(
    "has LoRA matrices on lm_head;",
  );
});

test("what belongs nowhere is listed", () => {
  expect(refusal(["other.weight"])).toMatch(
    /The base model has no place for: base_model\.model\.oth/,
  );
  expect(refusal([])).toMatch(/The file has no tensors/);
});
