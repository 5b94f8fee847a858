// Finds a shell page that takes a request. Several tabs may show pages of one tunnel.

/** Time in which a shell page must take a request, in milliseconds. */
const timeout = 300;

/** A request that a shell page has taken. */
export class Call {
  /** @param {MessagePort} port */
  constructor(port) {
    this.port = port;
    /** Messages that came before anyone listened. @type {any[]} */
    this.early = [];
    /** @type {((message: any) => void) | null} */
    this.listener = null;
  }

  /** @param {any} message */
  receive(message) {
    if (this.listener) this.listener(message);
    else this.early.push(message);
  }

  /** @param {(message: any) => void} listener */
  listen(listener) {
    this.listener = listener;
    this.early.splice(0).forEach(listener);
  }
}

/**
 * Asks shell pages in turn, the one that was used last first.
 *
 * @param {import("../exchange.js").WorkerRequest} request
 * @returns {Promise<Call | null>} null if none answers
 */
export async function askShells(request) {
  /** @type {any[]} */
  const windows = await /** @type {any} */ (self).clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const client of windows) {
    // Every document at the top of this origin is a shell page.
    if (client.frameType !== "top-level" && client.frameType !== "auxiliary") continue;
    const call = await ask(client, request);
    if (call) return call;
  }
  return null;
}

/**
 * @param {any} client
 * @param {import("../exchange.js").WorkerRequest} request
 * @returns {Promise<Call | null>}
 */
function ask(client, request) {
  const { port1, port2 } = new MessageChannel();
  const call = new Call(port1);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      port1.postMessage({ kind: "cancel" });
      resolve(null);
    }, timeout);
    port1.onmessage = ({ data }) => {
      if (data.kind !== "taken") return call.receive(data);
      clearTimeout(timer);
      resolve(call);
    };
    client.postMessage({ kind: "request", request }, [port2]);
  });
}
