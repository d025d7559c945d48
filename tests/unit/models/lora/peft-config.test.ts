import { describe, expect, test } from "vitest";
import { parsePeftConfig, toPeftConfig } from "../../../../src/models/lora/peft-config.js";

const plain = { peft_type: "LORA", r: 4, lora_alpha: 8, target_modules: ["q_proj"] };
const parse = (changes: object = {}) => parsePeftConfig({ ...plain, ...changes }, "a.json");

describe("an adapter_config.json", () => {
  test.each(["gaussian", "kaiming"] as const)(
    "written and read has the same settings: %s",
    (initialization) => {
      const settings = {
        ...{ rank: 3, alpha: 6, rankStabilized: true, initialization, targets: ["c_attn"] },
        baseModel: "org/base",
      };
      const file = toPeftConfig(settings, "in-out");
      expect(parsePeftConfig(file, "a.json")).toEqual({ settings, unknownKeys: [] });
      expect(file).toMatchObject({
        ...{ fan_in_fan_out: true, inference_mode: true, bias: "none", task_type: "CAUSAL_LM" },
        ...{ init_lora_weights: initialization === "gaussian" ? "gaussian" : true },
      });
      expect(toPeftConfig(settings, "out-in")["fan_in_fan_out"]).toBe(false);
      const { baseModel: _base, ...without } = settings;
      expect(toPeftConfig(without, "out-in")["base_model_name_or_path"]).toBeNull();
    },
  );

  test("may begin in any way that leaves the base as it is", () => {
    for (const init of [undefined, null, true, false, "orthogonal", "eva"]) {
      expect(parse({ init_lora_weights: init }).settings.initialization).toBe("kaiming");
    }
    expect(parse({ init_lora_weights: "gaussian" }).settings.initialization).toBe("gaussian");
    for (const init of ["pissa", "olora", 1]) {
      expect(() => parse({ init_lora_weights: init })).toThrow(
        /^a\.json: init_lora_weights: .* is not supported\. Allowed: true, false, gaussian/,
      );
    }
  });

  test("says where it is not complete: targets are then those of the weights", () => {
    expect(parse().settings.targets).toEqual(["q_proj"]);
    const others = [
      { target_modules: ".*attn" },
      { target_modules: ["q_proj", 1] },
      { exclude_modules: ["q_proj"] },
      { layers_to_transform: [0] },
      { layers_pattern: "h" },
    ];
    for (const other of others) expect(parse(other).settings).not.toHaveProperty("targets");
    expect(parse({ exclude_modules: [], layers_pattern: null }).settings.targets).toBeDefined();
    expect(parse({ base_model_name_or_path: "" }).settings).not.toHaveProperty("baseModel");
  });

  test("features that are off are no matter, others are refused or told", () => {
    for (const offValue of [undefined, null, false, {}, []]) {
      expect(parse({ use_dora: offValue, modules_to_save: offValue, new_key: offValue })).toEqual(
        parse(),
      );
    }
    expect(() => parse({ use_dora: true })).toThrow(
      /use_dora: true is not supported\. Allowed: null/,
    );
    expect(() => parse({ bias: "all" })).toThrow(/bias: .*Allowed: "none"/);
    expect(() => parse({ modules_to_save: ["lm_head"] })).toThrow(/holds lm_head as trained whole/);
    expect(parse({ new_key: 1, lora_dropout: 0, peft_version: "1" }).unknownKeys).toEqual([
      "new_key",
    ]);
    expect(parse({ lora_dropout: 0.1 }).unknownKeys).toEqual(["lora_dropout"]);
  });

  test.each([
    [{ r: 0 }, /a\.json: r: 0 is no rank/],
    [{ r: 1.5 }, /r: 1\.5 is no rank/],
    [{ r: undefined }, /r: An absent key is no rank/],
    [{ lora_alpha: 0 }, /lora_alpha: 0 is no scale above 0/],
    [{ lora_alpha: 1e39 }, /lora_alpha: 1e\+39 is no scale/],
    [{ peft_type: "LOHA" }, /peft_type: "?LOHA"? is not supported/],
    [{ peft_type: undefined }, /An absent key is not supported/],
  ])("%j is refused", (changes, message) => {
    expect(() => parse(changes)).toThrow(message);
    expect(parse({ r: 1, lora_alpha: 1e-3 }).settings).toMatchObject({ rank: 1, alpha: 1e-3 });
  });

  test("is a JSON object", () => {
    for (const json of [null, [], "LORA"]) {
      expect(() => parsePeftConfig(json, "a.json")).toThrow("must be a JSON object");
    }
  });
});
