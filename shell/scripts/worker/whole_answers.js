// Answers for browsers that end streamed bodies after 30 s as if they were complete (Firefox): they
// get bodies in one piece, and long ones from the server, which relays them.

import { respond } from "./response.js";

/** Firefox is the browser without streams of requests. */
export const endsLongBodies = !("body" in Request.prototype);

/** Longest body in bytes, and longest time for it in milliseconds, that is collected. */
const maxLength = 8 * 1024 * 1024;
const maxTime = 10_000;

/**
 * @param {import("./shell_clients.js").Call} call
 * @param {Request} request
 * @returns {Promise<Response>}
 */
export async function answerWhole(call, request) {
  const response = await respond(call);
  if (!response.body) return response;
  const isLong = Number(response.headers.get("content-length") ?? 0) > maxLength
    || response.headers.get("content-type")?.startsWith("text/event-stream");
  const whole = isLong ? null : await collect(response.body.getReader());
  if (whole) return new Response(whole, response);
  if (isLong) response.body.cancel();
  if (request.method === "GET" || request.method === "HEAD") return fetch(request);
  return new Response("The answer is too long for this browser.", { status: 502, headers: { "content-type": "text/plain" } });
}

/**
 * All bytes of a body; null if it is too long or takes too much time.
 *
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 */
async function collect(reader) {
  const pieces = [];
  let length = 0;
  const until = Date.now() + maxTime;
  for (;;) {
    const timeout = new Promise((resolve) => setTimeout(resolve, Math.max(until - Date.now(), 0), null));
    const read = await Promise.race([reader.read(), timeout]);
    length += read?.value?.length ?? 0;
    if (!read || length > maxLength) {
      reader.cancel();
      return null;
    }
    if (read.done) return new Blob(pieces);
    pieces.push(read.value);
  }
}
