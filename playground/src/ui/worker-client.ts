import type { Report, Request } from "../training/protocol.js";

/** A worker of the page's, and how it is spoken to. */
export interface WorkerClient {
  send(request: Request): void;
  end(): void;
}

/** Starts a worker; it answers with reports. */
export function startWorker(onReport: (report: Report) => void): WorkerClient {
  const worker = new Worker(new URL("../training/worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Report>) => onReport(data);
  worker.onerror = (event) => {
    event.preventDefault();
    const message = `The training stopped: ${event.message || "its code could not be loaded"}.`;
    onReport({ type: "refused", of: "configure", message });
  };
  const send = (request: Request) => worker.postMessage(request);
  send({ type: "open", page: document.baseURI });
  return {
    send,
    end: () => worker.terminate(),
  };
}
