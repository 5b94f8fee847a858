// Service worker of a tunnel's origin: hands each request of the site to a shell page, and streams
// the answer back. It decides nothing: the shell page has the connections.

import { answerWhole, endsLongBodies } from "./whole_answers.js";
import { askShells } from "./shell_clients.js";
import { RequestBody } from "./request_body.js";
import { respond } from "./response.js";

const worker = /** @type {any} */ (self);

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (/** @type {any} */ { data }) => {
  // Any message of a shell page keeps the worker alive while bodies stream.
  if (data === "unregister") worker.registration.unregister();
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  /** @type {{ request: Request }} */
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const isShell = request.mode === "navigate" && request.destination === "document";
  if (origin !== location.origin || pathname.startsWith("/.gruppetto/") || isShell) return;
  if (request.cache === "only-if-cached" && request.mode !== "same-origin") return;
  event.respondWith(answer(request));
});

/** @param {Request} request @returns {Promise<Response>} */
async function answer(request) {
  // Without a shell page, or for what this browser would cut short, the server relays.
  const isEventStream = request.headers.get("accept") === "text/event-stream";
  if (endsLongBodies && isEventStream) return fetch(request);
  const body = await RequestBody.of(request);
  const call = await askShells({
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    mode: request.mode,
    destination: request.destination,
    referrer: request.referrer,
    cache: request.cache,
    hasBody: body !== null,
    canResend: body?.canResend ?? true,
  });
  if (!call) return fetch(body?.forNetwork(request) ?? request);
  body?.sendTo(call.port);
  request.signal.addEventListener("abort", () => call.port.postMessage({ kind: "cancel" }));
  if (!endsLongBodies) return respond(call);
  return answerWhole(call, request);
}
