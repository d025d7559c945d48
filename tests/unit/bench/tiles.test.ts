import { expect, test } from "vitest";
import { tileChoices } from "../../../bench/gpu/tiles.js";

test("a sweep tries every combination of what it is given", () => {
  expect(tileChoices("threadRows=2,4 groupColumns=8 depth=8,16")).toEqual([
    { threadRows: 2, groupColumns: 8, depth: 8 },
    { threadRows: 2, groupColumns: 8, depth: 16 },
    { threadRows: 4, groupColumns: 8, depth: 8 },
    { threadRows: 4, groupColumns: 8, depth: 16 },
  ]);
});

test("and both ways to multiply, if it is asked for them", () => {
  expect(tileChoices("depth=16 matrices=0,1")).toEqual([
    { depth: 16, matrices: 0 },
    { depth: 16, matrices: 1 },
  ]);
  expect(() => tileChoices("matrices=2")).toThrow(/"2" is no list of 0 and 1/);
  expect(() => tileChoices("matrices=")).toThrow(/"" is no list of 0 and 1/);
});

test("without anything it tries the usual ones", () => {
  expect(tileChoices("")).toHaveLength(27);
});

test("what is no tile, or no number of threads, is refused by its name", () => {
  expect(() => tileChoices("threadRow=2")).toThrow(
    /^--tiles: there is no tile "threadRow"\. Did you mean "threadRows"\?/,
  );
  for (const values of ["", "0", "2,x", "1.5"]) {
    expect(() => tileChoices(`depth=${values}`)).toThrow(/is no list of whole numbers above 0/);
  }
});
