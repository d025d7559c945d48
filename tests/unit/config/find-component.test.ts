import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Component, components, findComponents } from "../../../src/config/index.js";

const component = (kind: Component["kind"], name: string): Component => ({
  ...{ kind, name, summary: "", details: [], schema: z.object({}) },
});
const few = [
  component("loss", "reverse-kl"),
  component("loss", "forward-kl"),
  component("data", "text"),
  component("task", "text"),
];
const names = (words: readonly string[], all = few) =>
  findComponents(words, all).map(({ kind, name }) => `${kind} ${name}`);

describe("a component is found", () => {
  test("by its name, by kind and name; a kind alone means all of it, nothing everything", () => {
    expect(names(["reverse-kl"])).toEqual(["loss reverse-kl"]);
    expect(names(["loss", "reverse-kl"])).toEqual(["loss reverse-kl"]);
    expect(names(["task", "text"])).toEqual(["task text"]);
    expect(names(["loss"])).toEqual(["loss reverse-kl", "loss forward-kl"]);
    expect(names([])).toHaveLength(4);
  });

  test("with its kind, whichever it is of the real ones", () => {
    for (const { kind, name } of components) {
      expect(names([kind, name], [...components])).toEqual([`${kind} ${name}`]);
    }
  });

  test.each([
    [["text"], /more than one component. .*pupil describe data text or pupil describe task text\./],
    [["revers-kl"], /no component "revers-kl"\. Did you mean "reverse-kl"\? Allowed: loss, data,/],
    [["los", "reverse-kl"], /no kind "los"\. Did you mean "loss"\?/],
    [
      ["loss", "revers-kl"],
      /no loss "revers-kl"\. .*"reverse-kl"\? Allowed: reverse-kl, forward-kl\./,
    ],
    [["data", "reverse-kl"], /no data "reverse-kl"\. There is: pupil describe loss reverse-kl\./],
    [["a", "b", "c"], /"a b c" is more than a kind and a name\. Use: pupil describe/],
  ])("or else %j is a clear error", (words, message) => {
    expect(() => findComponents(words, few)).toThrow(message);
  });
});
