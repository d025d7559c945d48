import cliProgress from "cli-progress";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import {
  trainTokenizer,
  type TrainTokenizerEvent,
  trainTokenizerSchema,
} from "../../../node/index.js";
import { formatDuration, formatNumber } from "../../terminal/format.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil train-tokenizer <file…> output=<folder> [key=value …]`. */
export async function trainTokenizerCommand(words: readonly string[]): Promise<void> {
  const isOption = (word: string) => /^\w+=/.test(word);
  const given = applyOverrides({}, words.filter(isOption));
  const options = parseConfig(trainTokenizerSchema, given, "train-tokenizer");
  const progress = showTokenizerProgress(process.stderr);
  try {
    const files = words.filter((word) => !isOption(word));
    await trainTokenizer(files, options, (event) => {
      progress.show(event);
      if (event.type === "finished") printSummary(event, options.vocabSize, options.minFrequency);
    });
  } finally {
    progress.end();
  }
}

type Finished = Extract<TrainTokenizerEvent, { type: "finished" }>;

function printSummary({ report, path, elapsedMs }: Finished, asked: number, minFrequency: number) {
  const { vocabSize, merges, bytes, tokens, words } = report;
  const lines = [
    `${formatNumber(vocabSize)} tokens (${formatNumber(merges)} merges) from ${formatNumber(words)} different words.`,
    `The text: ${formatNumber(bytes)} bytes, ${formatNumber(tokens)} tokens, ${formatNumber(bytes / tokens)} bytes/token. ${formatDuration(elapsedMs)}.`,
    `Wrote ${path}; use it with "tokenizer": {"type": "file", "path": ${JSON.stringify(path)}}.`,
  ];
  if (vocabSize < asked) {
    lines.splice(
      1,
      0,
      `Fewer than the ${formatNumber(asked)} asked for: no other pair of tokens occurs ${minFrequency} times. Give more text for a larger vocabulary.`,
    );
  }
  writeLine(process.stdout, lines.join("\n"));
}

/** A bar on a terminal, nothing otherwise: training a tokenizer takes seconds. */
function showTokenizerProgress(stream: NodeJS.WriteStream) {
  if (!stream.isTTY) return { show: () => undefined, end: () => undefined };
  const bar = new cliProgress.SingleBar(
    { stream, format: "{bar} {text}", barsize: 20, hideCursor: true, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0, { text: "" });
  const update = (value: number, of: number, text: string) => {
    bar.setTotal(Math.max(1, of));
    bar.update(value, { text });
  };
  return {
    show(event: TrainTokenizerEvent) {
      if (event.type === "reading") update(event.bytes, event.of, `reading ${event.path}`);
      if (event.type === "merging" && event.merges % 100 === 0) {
        update(event.merges, event.of, `${event.merges} merges`);
      }
      if (event.type === "finished") bar.stop();
    },
    end: () => bar.stop(),
  };
}
