import { describe, expect, test } from "vitest";
import { groups, parseArguments } from "../../../bench/arguments.js";
import type { PupilError } from "../../../src/errors/index.js";

const errorOf = (...argv: string[]): PupilError => {
  try {
    parseArguments(argv, 2);
  } catch (error) {
    return error as PupilError;
  }
  throw new Error("No error.");
};

describe("the arguments of the benchmark", () => {
  test("have defaults: everything, all cores", () => {
    const options = parseArguments([], 6);
    expect(options).toMatchObject({ only: groups, threads: 6, help: false });
    expect(options.json).toBeUndefined();
    expect(options.stockRounds).toBeLessThan(options.rounds);
  });

  test("are read, as two words or with =", () => {
    const argv = ["--only=training,matmul", "--rounds", "2", "--threads=1", "--json", "out.json"];
    expect(parseArguments(argv, 4)).toMatchObject({
      only: ["training", "matmul"],
      rounds: 2,
      stockRounds: 2,
      threads: 1,
      json: "out.json",
    });
  });

  test("--quick asks for fewer rounds, and --rounds has the last word", () => {
    const quick = parseArguments(["--quick"], 2);
    expect(quick.rounds).toBeLessThan(parseArguments([], 2).rounds);
    expect(parseArguments(["--rounds", "8", "--quick"], 2).rounds).toBe(8);
  });

  test("--backend webgpu asks for counts of a GPU instead", () => {
    expect(parseArguments([], 2).gpu).toBeUndefined();
    expect(parseArguments(["--backend", "webgpu", "--json=a.json"], 2).gpu).toEqual({
      ...{ size: "small", steps: 5, kernels: ["own", "composed"], json: "a.json" },
    });
    const argv = ["--backend=webgpu", "--size", "tiny", "--steps", "7", "--kernels", "own"];
    expect(parseArguments([...argv, "--tiles", "depth=8,threadRows=2"], 2).gpu).toEqual({
      ...{ size: "tiny", steps: 7, kernels: ["own"], tiles: { depth: 8, threadRows: 2 } },
    });
    expect(errorOf("--backend", "webgl").message).toContain("Allowed: webgpu");
    expect(errorOf("--size", "small").message).toContain("only with --backend webgpu");
    expect(errorOf(...argv, "--tiles", "depht=8").message).toContain('Did you mean "depth"?');
    expect(errorOf(...argv, "--tiles", "depth").field).toBe("--tiles");
  });

  test("that are wrong are errors that name the nearest right one", () => {
    expect(errorOf("--round", "3").message).toContain('Did you mean "--rounds"?');
    expect(errorOf("--only", "traning").message).toContain('Did you mean "training"?');
    expect(errorOf("--rounds", "0").field).toBe("--rounds");
    expect(errorOf("--threads", "two").value).toBe("two");
    expect(errorOf("--json").message).toContain("a value is missing");
    expect(errorOf("--json", "--quick").message).toContain("a value is missing");
    expect(errorOf("--quick=yes").message).toContain("no such option");
  });
});
