import type { ViewOptions, ViewServer } from "./serve.js";

/** As `serveView` of serve.ts, whose libraries are loaded only here. */
export async function serveView(options: ViewOptions): Promise<ViewServer> {
  const served = await import("./serve.js");
  return served.serveView(options);
}
