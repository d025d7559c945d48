import { expect, test } from "vitest";
import {
  skewKlLoss,
  lossTerm,
  lossTermFromConfig,
  lossTermSchema,
} from "../../../../src/losses/index.js";

test("a detached mixture in the forward direction is refused: nothing would be trained", () => {
  expect(() => lossTerm(skewKlLoss, { detachMixture: true })).toThrow(/nothing would be trained/);
  const config = lossTermSchema.parse({ type: "skew-kl", detachMixture: true });
  expect(() => lossTermFromConfig(config)).toThrow(/nothing would be trained/);
});
