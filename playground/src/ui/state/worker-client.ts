import type { Report, Request } from "../../training/protocol.js";

/** A worker of the page's, and how it is spoken to. */
export interface WorkerClient {
  send(request: Request): void;
  /** Milliseconds since it was heard, where it owes an answer or is said to train; else 0. */
  silentMs(trains: boolean): number;
  end(): void;
}

/** Starts a worker; it answers with reports. */
export function startWorker(onReport: (report: Report) => void): WorkerClient {
  const worker = new Worker(new URL("../../training/worker.ts", import.meta.url), {
    type: "module",
  });
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
    silentMs: (trains) => (owed > 0 || trains ? performance.now() - heardAt : 0),
    end: () => worker.terminate(),
  };
}
