/** A server of hidden states for tests: a model in this process, wrong on demand. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import * as tf from "@tensorflow/tfjs-core";
import { onTestFinished } from "vitest";
import { makeBatch, type Tokenizer } from "../../../src/data/index.js";
import { type Decoder, toFloat16 } from "../../../src/models/index.js";
import { tokenLogProbs } from "../../../src/ops/index.js";

interface Question {
  readonly input_ids: readonly number[];
  readonly positions: readonly number[];
  readonly dtype: "float32" | "float16";
  readonly check: boolean;
}

export interface HiddenStatesServer {
  readonly url: string;
  readonly questions: readonly Question[];
  /** Changes every answer from now on. */
  falsify(change: ((answer: Record<string, unknown>) => object) | undefined): void;
}

/** What an honest server answers: the protocol of docs/teachers-hidden-states.md. */
function answerTo(question: Question, model: Decoder, tokenizer: Tokenizer) {
  const { input_ids: ids, positions, dtype, check } = question;
  using batch = makeBatch([{ ids, completionStart: 1 }], 0);
  const D = model.config.hiddenSize;
  const [hidden, logProbs] = tf.tidy(() => {
    const logits = model.forward(batch);
    return [
      model.hiddenStates(batch).dataSync<"float32">(),
      tokenLogProbs(logits, batch.labels).dataSync<"float32">(),
    ] as const;
  });
  const numbers = positions.flatMap((p) => [...hidden.subarray(p * D, (p + 1) * D)]);
  return {
    ...{ input_ids: ids, positions, dtype },
    hidden_size: D,
    vocab_size: model.config.vocabSize,
    states: encodeNumbers(numbers, dtype),
    ...(check && {
      token_log_probs: positions.map((p) => logProbs[p]),
      token_texts: ids.map((id) => tokenizer.decode([id])),
    }),
  };
}

export function encodeNumbers(numbers: readonly number[], dtype: "float32" | "float16"): string {
  const size = dtype === "float32" ? 4 : 2;
  const view = new DataView(new ArrayBuffer(numbers.length * size));
  for (const [i, value] of numbers.entries()) {
    if (dtype === "float32") view.setFloat32(4 * i, value, true);
    else view.setUint16(2 * i, toFloat16(value), true);
  }
  return Buffer.from(view.buffer).toString("base64");
}

/** Starts one on a free port; it is closed when the running test has finished. */
export async function hiddenStatesServer(
  model: Decoder,
  tokenizer: Tokenizer,
): Promise<HiddenStatesServer> {
  const questions: Question[] = [];
  let change: ((answer: Record<string, unknown>) => object) | undefined;
  const answer = async (request: IncomingMessage): Promise<[number, object]> => {
    if (request.url !== "/v1/hidden-states") return [404, { error: `No ${request.url} here.` }];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const question = JSON.parse(Buffer.concat(chunks).toString()) as Question;
    questions.push(question);
    const honest = answerTo(question, model, tokenizer);
    return [200, change?.(honest) ?? honest];
  };
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    questions,
    falsify: (next) => {
      change = next;
    },
  };
}
