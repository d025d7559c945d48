/** What makes a definition of the user's own one of its kind: every field, one at a time. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { taskDefinitions, verifierDefinitions } from "../../../../src/data/index.js";
import { lossDefinitions } from "../../../../src/losses/index.js";
import { definitionsIn, type ModuleKind } from "../../../../src/node/modules/load-modules.js";
import {
  lossModules,
  rewardModules,
  taskModules,
  teacherModules,
  verifierModules,
} from "../../../../src/node/modules/module-kinds.js";
import { rewardDefinitions } from "../../../../src/rollouts/index.js";
import { teacherKinds } from "../../../../src/teachers/index.js";

type AnyKind = ModuleKind<{ readonly name: string }>;
type Definition = Record<string, unknown> & { readonly name: string };

const nothing = () => undefined;
const common = { name: "my-own-2", summary: "", config: z.strictObject({}) };
const wrongName = ["My-own", "my_own", "-own", "own-", "", 3];
const noFunction = [undefined, 3, "text", {}];
const noText = [undefined, 3, null];

interface Case {
  readonly kind: AnyKind;
  readonly valid: Definition;
  /** Values that a field cannot have; undefined is one that is left out. */
  readonly refused: Readonly<Record<string, readonly unknown[]>>;
  /** Values that a field can have besides. */
  readonly allowed?: Readonly<Record<string, readonly unknown[]>>;
  /** Options that a config has beside the definition's own. */
  readonly reserved: readonly string[];
}

const always = {
  name: wrongName,
  summary: noText,
  config: [undefined, {}, z.string(), { shape: {} }],
};

const cases: readonly Case[] = [
  {
    kind: lossModules as unknown as AnyKind,
    valid: {
      ...{ ...common, formula: "x", reference: "none", per: "token", needs: ["studentLogits"] },
      ...{ properties: {}, examples: [{}], evaluate: nothing },
    },
    refused: {
      ...{ ...always, reference: noText, per: [undefined, "batch"], evaluate: noFunction },
      needs: [undefined, [], "studentLogits", [3], ["studentLogit"]],
      optional: ["studentLogits", [3], ["studentLogit"], ["studentLogits", "x"]],
      ...{ formula: [3], properties: [undefined, 3], examples: [undefined, {}, [3]] },
    },
    allowed: { per: ["row"], optional: [undefined, [], ["teacherLogits"]], examples: [[]] },
    reserved: ["type", "weight"],
  },
  {
    kind: taskModules as unknown as AnyKind,
    valid: {
      ...common,
      config: z.strictObject({ errorRate: z.number(), heldOutFraction: z.number() }),
      ...{ alphabet: nothing, generate: nothing, splitOf: nothing, prompt: nothing },
      ...{ answer: nothing, oracle: nothing, verify: nothing },
    },
    refused: {
      ...always,
      config: [...always.config, z.strictObject({}), z.strictObject({ errorRate: z.number() })],
      ...{ alphabet: noFunction, generate: [3, "text"], splitOf: noFunction, prompt: noFunction },
      ...{ answer: noFunction, oracle: noFunction, verify: noFunction },
      ...{
        hidden: [3],
        checkSteps: [3],
        continueFrom: [3],
        respond: [3],
        list: [3],
        backward: [3],
      },
    },
    allowed: Object.fromEntries(
      ["hidden", "checkSteps", "continueFrom", "respond", "list", "backward"].map((name) => [
        name,
        [undefined, nothing],
      ]),
    ),
    reserved: ["type"],
  },
  {
    kind: verifierModules as unknown as AnyKind,
    valid: { ...common, verify: nothing },
    refused: { ...always, verify: [3, "text"] },
    reserved: ["type"],
  },
  {
    kind: teacherModules as unknown as AnyKind,
    valid: { ...common, connect: nothing },
    refused: { ...always, connect: [3, "text"] },
    reserved: ["type", "weight", "when"],
  },
  {
    kind: rewardModules as unknown as AnyKind,
    valid: { ...common, reference: "none", needs: [], evaluate: nothing },
    refused: {
      ...{ ...always, reference: noText, needs: [undefined, "teacher", ["luck"]] },
      ...{ ask: [3], evaluate: [3, "text"] },
    },
    allowed: { needs: [["teacher", "checkSteps", "keyStep", "budget"]], ask: [undefined, nothing] },
    reserved: ["type", "weight"],
  },
];

describe.each(cases)("a $kind.noun", ({ kind, valid, refused, allowed = {}, reserved }) => {
  const load = (changes: object = {}) => {
    const definition: Record<string, unknown> = { ...valid, ...changes };
    for (const [name, value] of Object.entries(definition)) {
      if (value === undefined) Reflect.deleteProperty(definition, name);
    }
    return definitionsIn(kind, { mine: definition }, "mine.mjs");
  };

  test("is one with all that it needs", () => {
    expect(load()).toEqual([valid]);
    for (const [field, values] of Object.entries(allowed)) {
      for (const value of values) expect(load({ [field]: value }), field).toHaveLength(1);
    }
  });

  test("is refused by name for each of its fields", () => {
    for (const [field, values] of Object.entries(refused)) {
      for (const value of values) {
        // Without its mark it is a thing of another kind.
        expect(() => load({ [field]: value }), `${field}: ${String(value)}`).toThrow(
          new RegExp(`^mine\\.mjs: export mine: .*${field === "optional" ? "" : field}`),
        );
      }
    }
    expect(() => load({ summary: 3 })).toThrow(`Make it with ${kind.define}, which a type checker`);
  });

  test("has no option that a config writes beside its own", () => {
    const { config } = valid as unknown as { config: z.ZodObject };
    for (const name of ["type", "weight", "when"]) {
      const withOption = { config: config.extend({ [name]: z.number() }) };
      if (!reserved.includes(name)) {
        expect(load(withOption), name).toHaveLength(1);
        continue;
      }
      const called = name === "type" ? "name" : name;
      expect(() => load(withOption)).toThrow(
        `mine.mjs: export mine: config: "${name}" cannot be an option. A config writes the ${kind.noun}'s ${called} beside its options: rename it.`,
      );
    }
  });

  test("is found among other things by its mark, in lists too, and once", () => {
    const other = { ...valid, name: "other" };
    const module = {
      ...{ text: "text", list: [3, null, valid, other], nothing: null, call: nothing },
      ...{ mine: valid, marked: kind.mark, config: {} },
    };
    expect(definitionsIn(kind, module, "mine.mjs")).toEqual([valid, other]);
    expect(definitionsIn(kind, { list: [] }, "mine.mjs")).toEqual([]);
  });
});

test("every kind is told from all others", () => {
  const everything = Object.fromEntries(cases.map(({ kind, valid }) => [kind.noun, valid]));
  for (const { kind, valid } of cases) {
    expect(definitionsIn(kind, everything, "all.mjs"), kind.noun).toEqual([valid]);
  }
});

test("the names that are taken are those of what is built in", () => {
  const namesOf = (kind: { readonly builtIn: readonly { readonly name: string }[] }) =>
    kind.builtIn.map(({ name }) => name);
  expect(namesOf(lossModules)).toEqual(lossDefinitions.map(({ name }) => name));
  expect(namesOf(taskModules)).toEqual(taskDefinitions.map(({ name }) => name));
  expect(namesOf(verifierModules)).toEqual(verifierDefinitions.map(({ name }) => name));
  expect(namesOf(rewardModules)).toEqual(rewardDefinitions.map(({ name }) => name));
  expect(namesOf(teacherModules)).toEqual(teacherKinds.map(({ type }) => type));
});
