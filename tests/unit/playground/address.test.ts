import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromAddress, toAddress } from "../../../playground/src/training/address.js";
import { presets } from "../../../playground/src/training/presets.js";
import type { JsonObject, Settings } from "../../../playground/src/training/settings.js";

describe("the address of the playground", () => {
  test.each(Object.entries(presets))("holds everything of %s", (_name, { settings }) => {
    expect(fromAddress(`#${toAddress(settings)}`)).toEqual(settings);
  });

  test("reads as words of pupil train", () => {
    const address = toAddress(presets["two-modes"].settings);
    expect(address).toContain("&teacher.type=bimodal&teacher.offsets.0=4&teacher.offsets.1=11&");
    expect(address).toContain("&trainer.loss.0.type=forward-kl&");
    expect(address).toContain("&@text=ring&");
  });

  test("holds any config, text, second student and loss", () => {
    // Names of fields as schemas have them: no dots, and no numbers, which are places in lists.
    const name = fc.stringMatching(/^[a-z][a-zA-Z]{1,8}$/);
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        ...[
          fc.string(),
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
        ],
        ...[
          fc.array(tie("any"), { maxLength: 3 }),
          fc.dictionary(name, tie("any"), { maxKeys: 3 }),
        ],
      ),
    })).any;
    const settings = fc.record(
      {
        config: fc.dictionary(name, value),
        text: fc.record({ own: fc.string({ maxLength: 200, unit: "grapheme" }) }),
        second: fc.dictionary(name, value, { minKeys: 1 }),
        ownLoss: fc.string(),
      },
      { requiredKeys: ["config"] },
    );
    fc.assert(
      fc.property(settings, (given) => {
        const plain = JSON.parse(JSON.stringify(given)) as Settings;
        expect(fromAddress(toAddress(plain))).toEqual(plain);
      }),
    );
  });

  test("is none without settings, and is refused when it is of another version", () => {
    expect(fromAddress("")).toBeUndefined();
    expect(fromAddress("#somewhere")).toBeUndefined();
    expect(() => fromAddress("#v=1&seed=1")).toThrow("It is of another version of this page (v=1)");
  });

  test("is refused wherever it was cut off", () => {
    const { settings } = presets["two-modes"];
    const address = toAddress({ ...settings, text: { own: "some text" }, ownLoss: "export {};" });
    // Before the version there are no settings, as far as one can see.
    for (let length = "v=2".length; length < address.length - "=".length; length++) {
      expect(() => fromAddress(address.slice(0, length))).toThrow(/^Its end is missing/);
    }
  });

  test.each([
    ...["__proto__.x=1", "a.constructor=1", "loss.7=1", "@text=z:!!!", "@text=z:", "@loss=abcd"],
    ...["@second.trainer.loss={", "@second.__proto__.x=1"],
  ])("refuses %s", (word) => {
    const [path = ""] = word.split("=");
    expect(() => fromAddress(`#v=2&loss.0=1&${word}&@end=`)).toThrow(`${path} = `);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test("carries a long text in less than its length", () => {
    const own = "To be, or not to be, that is the question.\n".repeat(100);
    const settings = { config: { seed: 1 } as JsonObject, text: { own } };
    expect(toAddress(settings).length).toBeLessThan(500);
    expect(fromAddress(toAddress(settings))).toEqual(settings);
  });
});
