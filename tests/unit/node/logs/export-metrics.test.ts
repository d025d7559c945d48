import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { checksum32 } from "../../../../src/data/index.js";
import { exportMetrics, toJson } from "../../../../src/node/index.js";
import { lineOf, type NewLogRow } from "../../../../src/node/logs/log-file.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const time = "2026-01-02T03:04:05.250Z";
const rows: NewLogRow[] = [
  { type: "evaluation", step: 0, values: { "heldOut.loss": 2.5 } },
  { type: "step", step: 1, values: { loss: 0.5, 'terms.a,"b"': -Infinity } },
  { type: "warning", step: 1, warning: "w", message: "m", remedy: "r" },
  { type: "step", step: 300, values: { loss: Number.NaN, "diagnostics.studentEntropy": 0.25 } },
];

function runWith(text: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "metrics.jsonl"), text);
  return folder;
}

const run = () => runWith(rows.map((row) => `${toJson(lineOf(row, new Date(time)))}\n`).join(""));

test("CSV has a column for all that any row has", async () => {
  const path = await exportMetrics(run(), { format: "csv" });
  expect(readFileSync(path, "utf8").split("\r\n")).toEqual([
    'type,step,time,heldOut.loss,loss,"terms.a,""b""",diagnostics.studentEntropy',
    `evaluation,0,${time},2.5,,,`,
    `step,1,${time},,0.5,-Infinity,`,
    `step,300,${time},,NaN,,0.25`,
    "",
  ]);
});

test("CRC-32C is the one of RFC 3720", () => {
  const castagnoli = checksum32(0x82f63b78);
  expect(castagnoli(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(castagnoli(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

/** A reader of event files, for what is written into them here. */
function eventsIn(bytes: Buffer) {
  const events: { time: number; step: number; scalars: Record<string, number> }[] = [];
  for (let start = 0; start < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(start));
    const data = bytes.subarray(start + 12, start + 12 + length);
    for (const [part, at] of [
      [bytes.subarray(start, start + 8), start + 8],
      [data, start + 12 + length],
    ] as const) {
      const crc = checksum32(0x82f63b78)(part);
      expect(bytes.readUInt32LE(at)).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
    }
    const event = { time: 0, step: 0, scalars: {} as Record<string, number> };
    for (const [field, value] of fieldsOf(data)) {
      if (field === 1) event.time = (value as Buffer).readDoubleLE();
      if (field === 2) event.step = value as number;
      if (field !== 5) continue;
      for (const [, scalar] of fieldsOf(value as Buffer)) {
        const [[, name], [, number]] = fieldsOf(scalar as Buffer) as [[1, Buffer], [2, Buffer]];
        event.scalars[name.toString()] = number.readFloatLE();
      }
    }
    events.push(event);
    start += 16 + length;
  }
  return events;
}

function fieldsOf(bytes: Buffer): [number, Buffer | number][] {
  const fields: [number, Buffer | number][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let power = 1; ; power *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 127) * power;
      if (byte < 128) return value;
    }
  };
  const take = (size: number) => bytes.subarray(at, (at += size));
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint());
    fields.push([key >> 3, value]);
  }
  return fields;
}

const seconds = Date.parse(time) / 1000;

describe("an event file", () => {
  test("has the steps, times and scalars of the log", async () => {
    const path = await exportMetrics(run(), { format: "tensorboard" });
    expect(eventsIn(readFileSync(path))).toEqual([
      { time: 0, step: 0, scalars: {} },
      { time: seconds, step: 0, scalars: { "heldOut/loss": 2.5 } },
      { time: seconds, step: 1, scalars: { loss: 0.5, 'terms/a,"b"': -Infinity } },
      {
        time: seconds,
        step: 300,
        scalars: { loss: Number.NaN, "diagnostics/studentEntropy": 0.25 },
      },
    ]);
  });

  test("of a log of the first format has seconds of training", async () => {
    const steps = [1, 2].map((step) => JSON.stringify({ step, terms: {}, elapsedMs: 1500 }));
    const folder = runWith(`${steps.join("\n")}\n`);
    const output = join(folder, "a", "events.out.tfevents.1");
    expect(await exportMetrics(folder, { format: "tensorboard", output })).toBe(output);
    const times = eventsIn(readFileSync(output)).map((event) => event.time);
    expect(times).toEqual([0, 1.5, 3]);
  });
});

const python = process.env["PUPIL_PYTHON"] ?? "python";
const hasTensorBoard = spawnSync(python, ["-c", "import tensorboard"]).status === 0;

describe.skipIf(!hasTensorBoard)("TensorBoard (needs it in PUPIL_PYTHON)", () => {
  test("reads the same scalars", { timeout: 120_000 }, async () => {
    const path = await exportMetrics(run(), { format: "tensorboard" });
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({tag: [[s.wall_time, s.step, str(s.value)] for s in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))`;
    const { stdout, stderr } = spawnSync(python, ["-c", script, dirname(path)], {
      encoding: "utf8",
    });
    expect(stdout, stderr).not.toBe("");
    expect(JSON.parse(stdout.trim().split("\n").at(-1) as string)).toEqual({
      "heldOut/loss": [[seconds, 0, "2.5"]],
      loss: [
        [seconds, 1, "0.5"],
        [seconds, 300, "nan"],
      ],
      'terms/a,"b"': [[seconds, 1, "-inf"]],
      "diagnostics/studentEntropy": [[seconds, 300, "0.25"]],
    });
  });
});

test("a folder without a log is refused", async () => {
  const folder = temporaryFolder();
  await expect(exportMetrics(folder, { format: "csv" })).rejects.toThrow(
    /metrics\.jsonl: The log of the run does not exist/,
  );
});
