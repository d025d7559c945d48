/** What a server may do to a right answer on its way, below and above JSON. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { Random } from "../../src/tensors/index.js";

type Stream = ReturnType<Random["stream"]>;

/** One exchange to be spoiled. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The right answer, as text. */
  readonly right: () => string;
  readonly pick: Stream;
  /** The sent key in an encoding. */
  readonly echo: () => string;
}

const json = { "content-type": "application/json" };

export function choose<T>(pick: Stream, list: readonly T[]): T {
  return list[pick.integer(list.length)] as T;
}

const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

function packed({ right, pick }: Exchange): { encoding: string; bytes: Buffer } {
  const encoding = choose(pick, ["gzip", "deflate", "br"] as const);
  return { encoding, bytes: packers[encoding](right()) };
}

/** Bytes at intervals, for as long as the client listens. */
function drip({ response }: Exchange, bytes: Buffer, everyMs: number): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (sent >= bytes.length) return;
    response.write(bytes.subarray(sent, sent + 7));
    sent += 7;
  }, everyMs);
  response.once("close", () => clearInterval(timer));
}

const pages = ["<html>Log in: KEY</html>", "<!doctype html><h1>502</h1>KEY", ""];
const statuses = [
  ...[100, 201, 204, 206, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409, 413],
  ...[418, 422, 425, 429, 451, 500, 501, 502, 503, 504, 505, 511, 529, 599],
];

/** By name; each ends the exchange, or leaves it open until the client gives up. */
export const httpFaults: Readonly<Record<string, (exchange: Exchange) => void>> = {
  status: ({ response, pick, echo }) => {
    const status = choose(pick, statuses.slice(1));
    const retry = choose(pick, ["0", "-5", "nonsense", "1e9", "NaN"]);
    response.setHeader("retry-after", retry);
    response.writeHead(status, `Words ${echo().replace(/[^\x20-\x7e]/g, "")}`, json);
    response.end(JSON.stringify({ error: { message: `No: ${echo()}` } }));
  },
  "endless complaint": ({ response, echo }) => {
    response.writeHead(500, json);
    const block = `${echo()} `.repeat(200);
    const timer = setInterval(() => response.write(block), 1);
    response.once("close", () => clearInterval(timer));
  },
  "cut body": ({ response, right, pick }) => {
    const text = right();
    response.writeHead(200, { ...json, "content-length": String(Buffer.byteLength(text)) });
    response.write(text.slice(0, pick.integer(text.length)));
    setTimeout(() => response.destroy(), 2);
  },
  "cut chunks": ({ response, right, pick }) => {
    const text = right();
    response.writeHead(200, json);
    response.write(text.slice(0, 1 + pick.integer(text.length)));
    setTimeout(() => response.destroy(), 2);
  },
  "too short a length": ({ response, right, pick }) => {
    const text = right();
    const length = 1 + pick.integer(text.length - 1);
    response.socket?.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${text}`,
    );
  },
  "slow drip": (exchange) => {
    exchange.response.writeHead(200, json);
    drip(exchange, Buffer.from(exchange.right()), 30);
  },
  "packed slow drip": (exchange) => {
    const { encoding, bytes } = packed(exchange);
    exchange.response.writeHead(200, { ...json, "content-encoding": encoding });
    exchange.response.flushHeaders();
    drip(exchange, bytes.subarray(0, bytes.length - 5), 10);
  },
  "packed and stalled": (exchange) => {
    const { encoding, bytes } = packed(exchange);
    exchange.response.writeHead(200, { ...json, "content-encoding": encoding });
    exchange.response.write(bytes.subarray(0, exchange.pick.integer(bytes.length)));
  },
  packed: (exchange) => {
    const { encoding, bytes } = packed(exchange);
    exchange.response.writeHead(200, { ...json, "content-encoding": encoding }).end(bytes);
  },
  "packed and cut": (exchange) => {
    const { encoding, bytes } = packed(exchange);
    exchange.response.writeHead(200, { ...json, "content-encoding": encoding });
    exchange.response.end(bytes.subarray(0, exchange.pick.integer(bytes.length)));
  },
  "packed and damaged": (exchange) => {
    const { encoding, bytes } = packed(exchange);
    const damaged = Buffer.from(bytes);
    // The checksum's bytes are left alone: not every decoder looks at them.
    const at = exchange.pick.integer(Math.max(1, Math.floor(bytes.length / 3)));
    damaged[at] = (damaged[at] as number) ^ 0xff;
    exchange.response.writeHead(200, { ...json, "content-encoding": encoding }).end(damaged);
  },
  "wrong encoding named": ({ response, right, pick }) => {
    const encoding = choose(pick, ["gzip", "br", "deflate", "rot13", "gzip, gzip"]);
    response.writeHead(200, { ...json, "content-encoding": encoding }).end(right());
  },
  "huge answer": ({ response }) => {
    response.writeHead(200, json);
    const block = Buffer.alloc(2 ** 18, " ");
    const more = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on("drain", more);
    more();
  },
  bomb: ({ response }) => {
    const bytes = bombOf();
    response.writeHead(200, { ...json, "content-encoding": "gzip" }).end(bytes);
  },
  redirect: ({ response, pick, request }) => {
    const location = choose(pick, [request.url ?? "/", "http://127.0.0.1:1/", "//", "::"]);
    response.writeHead(choose(pick, [301, 302, 303, 307, 308]), { location }).end();
  },
  reset: ({ response }) => void response.socket?.resetAndDestroy(),
  closed: ({ response }) => void response.destroy(),
  silence: () => undefined,
  "closed behind the answer": ({ response, right }) => {
    response
      .writeHead(200, json)
      .end(right(), () => setTimeout(() => response.socket?.destroy(), 1));
  },
  "junk behind the answer": ({ response, right }) => {
    const text = right();
    const length = Buffer.byteLength(text);
    response.socket?.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${text}HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
  },
  "no HTTP": ({ response, echo }) => void response.socket?.end(`SSH-2.0-${echo()}\r\n\r\n`),
  page: ({ response, pick, echo }) => {
    const type = choose(pick, ["text/html", "text/html; charset=latin1", "application/json"]);
    const text = choose(pick, pages).replace("KEY", echo());
    response.writeHead(choose(pick, [200, 200, 404, 500]), { "content-type": type }).end(text);
  },
  "another type": ({ response, right, pick }) => {
    const type = choose(pick, [
      "text/plain",
      "application/octet-stream",
      `text/${"x".repeat(500)}`,
    ]);
    response.writeHead(200, { "content-type": type }).end(right());
  },
  "a byte-order mark": ({ response, right }) => {
    response.writeHead(200, json).end(`\ufeff${right()}`);
  },
};

let bomb: Buffer | undefined;

/** 64 MiB of spaces in 64 KiB. */
function bombOf(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(2 ** 26, " "));
  return bomb;
}
