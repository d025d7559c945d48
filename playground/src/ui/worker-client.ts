import type { Report, Request } from "../training/protocol.js";

/** A worker of the page's, and how it is spoken to. */
export interface WorkerClient {
  send(request: Request): void;
  /** Milliseconds for which it owes an answer; 0 where it owes none. */
  waitedMs(): number;
  end(): void;
}

/** Starts a worker; it answers with reports. */
export function startWorker(onReport: (report: Report) => void): WorkerClient {
  const worker = new Worker(new URL("../training/worker.ts", import.meta.url), { type: "module" });
  let owed = 0;
  let heardAt = 0;
  worker.onmessage = ({ data }: MessageEvent<Report>) => {
    heardAt = performance.now();
    if (data.type === "handled") owed -= 1;
    onReport(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const message = `The training stopped: ${event.message || "its code could not be loaded"}.`;
    onReport({ type: "refused", of: "configure", message });
  };
  const send = (request: Request) => worker.postMessage(request);
  send({ type: "open", page: document.baseURI });
  return {
    send(request) {
      if (owed === 0) heardAt = performance.now();
      owed += 1;
      send(request);
    },
    waitedMs: () => (owed === 0 ? 0 : performance.now() - heardAt),
    end: () => worker.terminate(),
  };
}
