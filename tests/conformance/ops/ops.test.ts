/** The conformance of every op as composed of tfjs ops. */
import { expect, test } from "vitest";
import * as ops from "../../../src/ops/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { describeOpsOn, opCases } from "./describe-ops.js";

describeOpsOn("cpu", useCpu);

test("every op with a reference has cases", () => {
  const names = Object.entries(ops)
    .filter(([, value]) => typeof value === "function" && "definition" in value)
    .map(([name]) => name);
  expect([...new Set(opCases.map((c) => c.op))].sort()).toEqual(names.sort());
});
