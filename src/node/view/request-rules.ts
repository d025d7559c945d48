import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";

/**
 * Why a request is refused; undefined if it is not. Pages of other sites cannot reach the server, whether they ask for
 * it by its address or by a name of their own that leads to it (DNS rebinding).
 */
export function refusalOf(
  { method, headers }: Pick<IncomingMessage, "method" | "headers">,
  port: number,
): { readonly status: number; readonly reason: string } | undefined {
  if (method !== "GET" && method !== "HEAD")
    return { status: 405, reason: "It is only read here." };
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? ""))
    return { status: 403, reason: "Another host was meant." };
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  const isForeign =
    (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) ||
    (site !== undefined && site !== "same-origin" && site !== "none");
  return isForeign ? { status: 403, reason: "Pages of other sites are not answered." } : undefined;
}

/** Of every answer: nothing is kept, framed, guessed or told on. */
export const safeHeaders: OutgoingHttpHeaders = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};
