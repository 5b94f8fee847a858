// Body of a request, handed to the shell page in pieces as it asks for them.

/** Bytes that are read before they are asked for. */
const readAhead = 256 * 1024;

/** A body that is not read yet. */
export class RequestBody {
  /** @param {ReadableStream<Uint8Array> | Blob} source */
  constructor(source) {
    this.source = source;
    this.canResend = source instanceof Blob;
    /** @type {PieceReader | null} */
    this.reader = null;
    /** Attempt of the shell page that reads now. */
    this.attempt = 0;
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
      if (data.kind === "cancel") return this.reader?.cancel();
      if (data.kind !== "pull") return;
      const { attempt } = data;
      if (attempt !== this.attempt) {
        // A body that cannot be sent again is asked for once.
        this.attempt = attempt;
        this.reader?.cancel();
        this.reader = new PieceReader(this.source instanceof Blob ? this.source.stream() : this.source);
      }
      try {
        const bytes = await /** @type {PieceReader} */ (this.reader).next();
        if (bytes) port.postMessage({ kind: "chunk", attempt, bytes }, [bytes.buffer]);
        else port.postMessage({ kind: "body-end", attempt });
      } catch {
        port.postMessage({ kind: "cancel" });
      }
    });
  }
}

/** Reads ahead, and joins pieces: Chromium reads files of forms in pieces of 128 bytes. */
class PieceReader {
  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    this.reader = stream.getReader();
    /** @type {Uint8Array[]} */
    this.pieces = [];
    this.length = 0;
    this.isDone = false;
    /** @type {unknown} */
    this.error = null;
    /** Wakes `next` when there is something, and `readAhead` when there is room. */
    this.wake = () => {};
    this.wakeReader = () => {};
    this.read();
  }

  async read() {
    try {
      while (!this.isDone) {
        const { done, value } = await this.reader.read();
        if (done) break;
        this.pieces.push(value);
        this.length += value.length;
        this.wake();
        if (this.length >= readAhead) await new Promise((resolve) => (this.wakeReader = () => resolve(null)));
      }
    } catch (error) {
      this.error = error ?? new Error("The body cannot be read.");
    }
    this.isDone = true;
    this.wake();
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer> | null>} null at the end */
  async next() {
    while (this.length === 0) {
      if (this.error) throw this.error;
      if (this.isDone) return null;
      await new Promise((resolve) => (this.wake = () => resolve(null)));
    }
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces.splice(0)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.length = 0;
    this.wakeReader();
    return bytes;
  }

  cancel() {
    this.isDone = true;
    this.wakeReader();
    this.reader.cancel().catch(() => {});
  }
}
