import { gzipSync } from "node:zlib";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { readText } from "../../../../src/teachers/http/read-body.js";

const never = () => new AbortController().signal;

/** What a server sends, as `fetch` gives it. */
async function fetched(send: (response: ServerResponse) => void, signal: AbortSignal = never()) {
  const server = createServer((_request, response) => send(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { signal });
}

test("text that is cut within characters into chunks is put together", async () => {
  const bytes = new TextEncoder().encode("a€😀");
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await readText(new Response(body), 100, never())).toBe("a€😀");
  expect(await readText(new Response(null, { status: 204 }), 100, never())).toBe("");
});

test("an abort while a gzip answer is unpacked ends the reading", async () => {
  const ending = new AbortController();
  const half = gzipSync("x".repeat(100) + String(Math.PI).repeat(99)).subarray(0, 60);
  const response = await fetched((out) => {
    out.writeHead(200, { "content-encoding": "gzip" });
    out.write(half);
  }, ending.signal);
  const reading = readText(response, 1e6, ending.signal);
  setTimeout(() => ending.abort(new Error("enough")), 20);
  await expect(reading).rejects.toThrow("enough");
});

test("an abort ends the reading of a body that does not know of it", async () => {
  for (const isEarly of [true, false]) {
    const ending = new AbortController();
    const body = new ReadableStream<Uint8Array>({ start: (out) => out.enqueue(Uint8Array.of(97)) });
    if (isEarly) ending.abort(new Error("before"));
    const reading = readText(new Response(body), 1e6, ending.signal);
    ending.abort(new Error("meanwhile"));
    await expect(reading).rejects.toThrow(isEarly ? "before" : "meanwhile");
  }
});

test("a body that ends within a character ends with a replacement", async () => {
  expect(await readText(new Response(Uint8Array.of(97, 0xe2, 0x82)), 10, never())).toBe("a\ufffd");
});

test("an answer is refused at its limit, which counts what was unpacked", async () => {
  const bytes = gzipSync(Buffer.alloc(2 ** 22, " "));
  const response = await fetched((out) => {
    out.writeHead(200, { "content-encoding": "gzip" }).end(bytes);
  });
  await expect(readText(response, 2 ** 20, never())).rejects.toThrow(
    "the answer is larger than 1.0 MiB, more than what was asked for can take",
  );
  const right = await fetched((out) => {
    out.writeHead(200, { "content-encoding": "gzip" }).end(bytes);
  });
  expect(await readText(right, 2 ** 22, never())).toHaveLength(2 ** 22);
});

test("of a complaint without an end the beginning is read", async () => {
  const response = await fetched((out) => {
    out.writeHead(500);
    const timer = setInterval(() => out.write("no ".repeat(5000)), 1);
    out.once("close", () => clearInterval(timer));
  });
  const text = await readText(response, 10, never());
  expect(text).toMatch(/^no no /);
  expect(text.length).toBeLessThan(2 ** 18);
});
