// The answer of a shell page as a response that streams.

import { declaredEncoding, ScriptInjector } from "../html.js";
import { script } from "../injected.js";

/** Bytes that may wait for the page that reads the response. */
const highWaterMark = 256 * 1024;

/**
 * Head of an answer (Exchange.head).
 *
 * @typedef {{ status: number, fields: [string, string][], injects: boolean, hasEncoding: boolean, encoding: string, hasBody: boolean }} Head
 */

/**
 * @param {import("./shell_clients.js").Call} call
 * @returns {Promise<Response>}
 */
export function respond(call) {
  const { port } = call;
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  let controller;
  /** Bytes for which the shell page has no credit yet. */
  let unread = 0;
  const giveCredit = () => {
    if (unread === 0) return;
    port.postMessage({ kind: "consumed", bytes: unread });
    unread = 0;
  };
  /** @type {ReadableStream<any>} */
  const body = new ReadableStream({
    start: (it) => {
      controller = it;
    },
    pull: giveCredit,
    cancel: () => {
      port.postMessage({ kind: "cancel" });
      port.close();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark }));

  return new Promise((resolve, reject) => {
    /** @type {Head | null} */
    let head = null;
    /** @type {ScriptInjector | null} */
    let injector = null;
    const answer = () => {
      if (!head) return;
      resolve(toResponse(head, body, injector && !head.hasEncoding ? declaredEncoding(injector.begin) : null));
      head = null;
    };
    call.listen((message) => {
      switch (message.kind) {
        case "head":
          head = /** @type {Head} */ (message);
          if (head.injects && head.hasBody) injector = new ScriptInjector(script);
          else answer();
          return;
        case "data": {
          unread += message.bytes.length;
          const pieces = injector ? injector.push(message.bytes) : [message.bytes];
          if (pieces.length > 0) answer();
          // The begin of a page is held back until it is long enough.
          else giveCredit();
          pieces.forEach((piece) => controller.enqueue(piece));
          return;
        }
        case "end": {
          const pieces = injector?.end() ?? [];
          answer();
          pieces.forEach((piece) => controller.enqueue(piece));
          controller.close();
          port.close();
          return;
        }
        case "error":
          controller.error(new TypeError("The tunnel broke."));
          reject(new TypeError("The tunnel broke."));
          port.close();
      }
    });
  });
}

/**
 * @param {Head} head
 * @param {ReadableStream<Uint8Array>} body
 * @param {string | null} declared encoding of the page
 */
export function toResponse(head, body, declared) {
  const headers = new Headers();
  for (const [name, value] of head.fields) {
    try {
      headers.append(name, name === "content-type" && declared ? `${value}; charset=${declared}` : value);
    } catch {
      // A field that the browser does not allow in a response.
    }
  }
  return new Response(head.hasBody ? decode(body, head.encoding) : null, { status: head.status, headers });
}

/**
 * The peer asks for bodies without an encoding, but a site need not obey.
 *
 * @param {ReadableStream<any>} body
 * @param {string} encoding
 */
function decode(body, encoding) {
  const format = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" }[encoding];
  return format ? body.pipeThrough(new DecompressionStream(/** @type {CompressionFormat} */ (format))) : body;
}
