/**
 * An inference server for tests, strict about what it is asked and wrong on demand. It speaks four
 * protocols about one model whose distribution is a formula of the last two ids, so tests know it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import {
  type FakeModelOptions,
  fakeRoutes,
  type Mistake,
  Refusal,
} from "./fake-teacher-protocols.js";

export { knownLogProbs, likeliest, type Mistake } from "./fake-teacher-protocols.js";

export interface FakeTeacherServer {
  readonly url: string;
  /** Bodies of all requests, right or wrong. */
  readonly requests: readonly Record<string, unknown>[];
  /** Most requests that were open at the same time. */
  mostAtOnce(): number;
  /** Mistakes of the next answers, one each. */
  makeMistakes(...mistakes: Mistake[]): void;
  /** From now on. */
  alwaysMake(mistake: Mistake | undefined): void;
  close(): Promise<void>;
}

export interface FakeTeacherOptions extends FakeModelOptions {
  /** Refuses requests without it, repeating what was sent. */
  readonly apiKey?: string;
  /** Of every answer. Default: 0. */
  readonly delayMs?: number;
}

/** Starts a server on a free port; it is closed when the running test has finished. */
export async function fakeTeacherServer(options: FakeTeacherOptions): Promise<FakeTeacherServer> {
  const { apiKey, delayMs = 0 } = options;
  const routes = fakeRoutes(options);
  const requests: Record<string, unknown>[] = [];
  const planned: Mistake[] = [];
  let always: Mistake | undefined;
  let open = 0;
  let most = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await textFrom(request)) as Record<string, unknown>;
    requests.push(body);
    const mistake = planned.shift() ?? always;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (mistake !== undefined && httpMistakes[mistake]?.(response) === true) return;
    try {
      const sent = request.headers.authorization;
      if (apiKey !== undefined && sent !== `Bearer ${apiKey}`) {
        throw new Refusal(401, `Wrong key: ${sent ?? "none"}. ${"x".repeat(300)}`);
      }
      const route = routes[request.url ?? ""];
      if (route === undefined) throw new Refusal(404, `No ${request.url} here.`);
      sendJson(response, 200, JSON.stringify(route(body, mistake)));
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500;
      sendJson(response, status, JSON.stringify({ error: { message: (error as Error).message } }));
    }
  };
  const server = createServer((request, response) => {
    open += 1;
    most = Math.max(most, open);
    response.on("close", () => {
      open -= 1;
    });
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    mostAtOnce: () => most,
    makeMistakes: (...mistakes) => planned.push(...mistakes),
    alwaysMake: (mistake) => {
      always = mistake;
    },
    close,
  };
}

function sendJson(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(text);
}

/** Mistakes that need no right answer; true where the response was made. */
const httpMistakes: Partial<Record<Mistake, (response: ServerResponse) => boolean>> = {
  "rate-limit": (response) => {
    response.setHeader("retry-after", "7");
    sendJson(response, 429, '{"error":"too many requests"}');
    return true;
  },
  error: (response) => {
    sendJson(response, 500, '{"error":"out of memory"}');
    return true;
  },
  cut: (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"choices": [');
    setTimeout(() => response.destroy(), 5);
    return true;
  },
  closed: (response) => {
    response.destroy();
    return true;
  },
  malformed: (response) => {
    sendJson(response, 200, '{"choices": [NaN');
    return true;
  },
  html: (response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>Log in first</html>");
    return true;
  },
  redirect: (response) => {
    response.writeHead(307, { location: "http://elsewhere.invalid/" }).end();
    return true;
  },
  // Until the client or the test gives up.
  slow: () => true,
  empty: (response) => {
    sendJson(response, 200, "{}");
    return true;
  },
};

async function textFrom(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
