import { expect, test } from "vitest";
import { pupil, quoted } from "../../../src/cli/terminal/typed.js";

test.each([
  ["runs/mine", "runs/mine"],
  ["runs/über-3.5_b", "runs/über-3.5_b"],
  ["mes modèles/b", "'mes modèles/b'"],
  ["it's", "'it'\\''s'"],
  ["$HOME", "'$HOME'"],
  ["", "''"],
])("%s is typed as %s", (word, typed) => {
  expect(quoted(word)).toBe(typed);
});

test("commands to go on with are called as this one was", () => {
  const npx = { npm_lifecycle_event: "npx" };
  expect(pupil({ ...npx, npm_lifecycle_script: "pupil train text.jsonc" })).toBe("npx pupil");
  // As npm 11 writes it, and as others do.
  expect(pupil({ ...npx, npm_lifecycle_script: "'pupil'" })).toBe("npx pupil");
  expect(pupil({ ...npx, npm_lifecycle_script: '"pupil" "init"' })).toBe("npx pupil");
  // Another program that starts it, and a script of a package.json.
  expect(pupil({ ...npx, npm_lifecycle_script: "vitest run" })).toBe("pupil");
  expect(pupil({ npm_lifecycle_event: "train", npm_lifecycle_script: "pupil train" })).toBe(
    "pupil",
  );
  expect(pupil({})).toBe("pupil");
});
