import { readdirSync, readFileSync } from "node:fs";
import type { GoldenCase } from "../../../src/losses/index.js";

const folder = new URL("../../parity/fixtures/losses/", import.meta.url);

/** The cases that scripts/fixtures/losses makes with PyTorch in float64. */
export const goldenCases: readonly GoldenCase[] = readdirSync(folder).flatMap((file) => {
  const fixture = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as {
    cases: GoldenCase[];
  };
  return fixture.cases;
});

/** The cases with titles that tell them apart. */
export const titledCases = goldenCases.map((golden, i) => ({
  title: `${golden.loss} ${JSON.stringify(golden.config)} (${i})`,
  golden,
}));
