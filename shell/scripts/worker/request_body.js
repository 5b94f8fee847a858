// Body of a request, handed to the shell page in pieces as it asks for them.

/** A body that is not read yet. */
export class RequestBody {
  /** @param {ReadableStream<Uint8Array> | Blob} source */
  constructor(source) {
    this.source = source;
    this.canResend = source instanceof Blob;
    /** @type {ReadableStreamDefaultReader<Uint8Array> | null} */
    this.reader = null;
  }

  /**
   * Body of a request; null if it has none.
   *
   * @param {Request} request
   */
  static async of(request) {
    if (request.method === "GET" || request.method === "HEAD") return null;
    if ("body" in Request.prototype) return request.body ? new RequestBody(request.body) : null;
    // Firefox has no streams of requests.
    const blob = await request.blob();
    return blob.size > 0 ? new RequestBody(blob) : null;
  }

  /**
   * The same request for the network.
   *
   * @param {Request} request
   */
  forNetwork(request) {
    if (!(this.source instanceof Blob)) return request;
    const { method, headers, credentials, redirect, referrer, signal } = request;
    return new Request(request.url, { method, headers, credentials, redirect, referrer, signal, body: this.source });
  }

  /** @param {MessagePort} port */
  sendTo(port) {
    port.addEventListener("message", async ({ data }) => {
      if (data.kind !== "pull") return;
      if (data.restart || !this.reader) this.reader = this.begin();
      try {
        const { done, value } = await this.reader.read();
        if (done) port.postMessage({ kind: "body-end" });
        // A copy, because the bytes may belong to a larger buffer.
        else port.postMessage({ kind: "chunk", bytes: value.slice() });
      } catch {
        port.postMessage({ kind: "cancel" });
      }
    });
  }

  begin() {
    const stream = this.source instanceof Blob ? this.source.stream() : this.source;
    return /** @type {ReadableStreamDefaultReader<Uint8Array>} */ (stream.getReader());
  }
}
