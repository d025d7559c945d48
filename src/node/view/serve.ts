import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { PupilError } from "../../errors/index.js";
import { followLog, type LogFollower } from "../logs/follow-log.js";
import { findPage, htmlOf, type PageContext, shortMark } from "./pages.js";
import { refusalOf, safeHeaders } from "./request-rules.js";

export interface ViewOptions {
  /** Folder with runs; there may be none yet. */
  readonly folder: string;
  /** 0: one that is free. Default: 0. */
  readonly port?: number;
  /** Between two looks whether something has changed. Default: 1000. */
  readonly everyMs?: number;
}

export interface ViewServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Logs that are followed at once; what has not been looked at for longest is read anew. */
const mostFollowers = 200;

/**
 * Serves pages of the runs in a folder to browsers of this machine. It only reads, and only in the folder.
 *
 * @throws PupilError if the port is taken
 */
export async function serveView({
  folder,
  port = 0,
  everyMs = 1000,
}: ViewOptions): Promise<ViewServer> {
  const followers = new Map<string, LogFollower>();
  const context: PageContext = {
    root: resolve(folder),
    followerOf: (log) => {
      const follower = followers.get(log) ?? followLog(log);
      followers.delete(log);
      followers.set(log, follower);
      const [oldest] = followers.keys();
      if (followers.size > mostFollowers && oldest !== undefined) followers.delete(oldest);
      return follower;
    },
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const reason = error instanceof PupilError ? error.message : "The page could not be made.";
      if (!response.headersSent) response.writeHead(500, textHeaders);
      response.end(reason);
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refusal = refusalOf(request, (server.address() as AddressInfo).port);
    if (refusal) return void response.writeHead(refusal.status, textHeaders).end(refusal.reason);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    const isPart = pathname === "/sections" || pathname === "/events";
    const path = isPart ? (searchParams.get("of") ?? "/") : pathname;
    const page = await findPage(context, path, searchParams);
    if (page === undefined) {
      return void response.writeHead(404, textHeaders).end("There is nothing here, or it is gone.");
    }
    if (pathname === "/events") return sendEvents(response, () => shortMark(page), everyMs);
    if (pathname === "/sections") {
      const sections = (await page.sections()).map(({ id, body }) => ({ id, html: body.html }));
      response.writeHead(200, {
        ...safeHeaders,
        "content-type": "application/json; charset=utf-8",
      });
      return void response.end(JSON.stringify(sections));
    }
    const text = await htmlOf(page);
    response
      .writeHead(200, { ...safeHeaders, "content-type": "text/html; charset=utf-8" })
      .end(text);
  };
  await listen(server, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

const textHeaders = { ...safeHeaders, "content-type": "text/plain; charset=utf-8" };

/** Tells a page its mark, now and whenever it is another one, as long as somebody listens. */
function sendEvents(response: ServerResponse, mark: () => Promise<string>, everyMs: number): void {
  response.writeHead(200, { ...safeHeaders, "content-type": "text/event-stream" });
  response.write("retry: 2000\n\n");
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const began = performance.now();
    const now = await mark().catch(() => "gone");
    // Looking takes a sixth of the time at most, however much there is to look at.
    const pauseMs = Math.max(everyMs, 5 * (performance.now() - began));
    if (now !== last) response.write(`data: ${now}\n\n`);
    last = now;
    if (!response.destroyed) timer = setTimeout(() => void look(), pauseMs);
  };
  response.on("close", () => clearTimeout(timer));
  void look();
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === "EADDRINUSE" || cause.code === "EACCES";
      if (!isTaken) return fail(cause);
      const remedy = "Name another one, or leave it out for one that is free.";
      fail(
        new PupilError(`The port ${port} cannot be used (${cause.code}).`, {
          field: "port",
          remedy,
          cause,
        }),
      );
    });
    server.listen(port, "127.0.0.1", done);
  });
}
