import { expect, test } from "vitest";
import { applyOverrides } from "../../../src/config/index.js";

test("values are JSON, or else strings; numbers index lists; the input is untouched", () => {
  const config = { trainer: { loss: [{ type: "forward-kl" }] } };
  const result = applyOverrides(config, [
    "trainer.loss.0.temperature=2",
    "name=my-run",
    "evaluation.every=0",
    "trainer.maxGradNorm=null",
    "teacher.from=a=b",
  ]);
  expect(result).toEqual({
    trainer: { loss: [{ type: "forward-kl", temperature: 2 }], maxGradNorm: null },
    name: "my-run",
    evaluation: { every: 0 },
    teacher: { from: "a=b" },
  });
  expect(config).toEqual({ trainer: { loss: [{ type: "forward-kl" }] } });
});

const config = () => ({
  name: "run",
  student: { architecture: { family: "llama" } },
  teacher: null,
  trainer: { type: "distill", loss: [{ type: "forward-kl" }, { type: "reverse-kl" }] },
});

test.each([
  ["trainer.loss.2.type=jsd", { trainer: { loss: { 2: { type: "jsd" } } } }],
  ["losses.0=a.js", { losses: ["a.js"] }],
  ["teacher.from=a", { teacher: { from: "a" } }],
  ["toString.x=1", { toString: { x: 1 } }],
])("%s makes what is not there", (override, expected) => {
  expect(applyOverrides(config(), [override])).toMatchObject(expected);
});

test("an empty value takes a field or an entry out", () => {
  const without = applyOverrides(config(), ["student.architecture=", "trainer.loss.0="]);
  expect(without).toMatchObject({ student: {}, trainer: { loss: [{ type: "reverse-kl" }] } });
  expect(without).not.toHaveProperty("student.architecture");
});

test("a whole can be set before a part of it", () => {
  const overrides = ['teacher={"from":"a"}', "teacher.temperature=2"];
  expect(applyOverrides({}, overrides)).toEqual({ teacher: { from: "a", temperature: 2 } });
});

test.each([
  ["steps", 'Write key=value with dots between keys, for example "trainer.steps=200".'],
  ["=3", "is not an override"],
  ["a..b=3", "is not an override"],
  ["a. .b=3", "is not an override"],
  ["name.first=x", 'name is "run" and not an object. It has no field "first".'],
  ["__proto__.polluted=1", "is not a field name"],
  ["trainer.constructor=1", "is not a field name"],
  [
    "trainer.loss.temperature=7",
    'trainer.loss is a list: "temperature" is not one of its entries. Say which entry, such as trainer.loss.<number>.temperature=…, from 0 to 1.',
  ],
  ["trainer.loss.length=-1", 'trainer.loss is a list: "length" is not one of its entries.'],
  ["trainer.loss.-1=1", 'trainer.loss is a list: "-1" is not one of its entries.'],
  ["trainer.loss.01.type=jsd", 'trainer.loss is a list: "01" is not one of its entries.'],
  ["trainer.loss.1e3=1", 'trainer.loss is a list: "1e3" is not one of its entries.'],
  ["trainer.loss.push=1", 'trainer.loss is a list: "push" is not one of its entries.'],
  [
    "trainer.loss.30000000=1",
    "trainer.loss has 2 entries, not 30000000. The next one is trainer.loss.2.",
  ],
  ["student.architectur=", "student.architectur is not in the config."],
  ["alignment.signal=", "alignment is not in the config."],
])("%s is refused", (override, message) => {
  expect(() => applyOverrides(config(), [override])).toThrow(message);
});

test("a list that is not there gets no entry but its first", () => {
  expect(applyOverrides({}, ["losses.4294967294=1"])).toEqual({ losses: { 4294967294: 1 } });
});

test.each([[["name=a", "name=b"]], [["trainer.steps=3", "trainer={}"]]])(
  "%s: the second would undo the first",
  (overrides) => {
    expect(() => applyOverrides(config(), overrides)).toThrow(/was set before/);
  },
);

test("a config that is no object has no fields", () => {
  expect(() => applyOverrides([], ["name=a"])).toThrow("the config is a list");
  expect(() => applyOverrides(null, ["name=a"])).toThrow("the config is null");
});
