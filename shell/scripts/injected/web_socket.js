// A WebSocket that goes through the tunnel (WHATWG WebSockets, section 3.1).

const Native = window.WebSocket;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** WebSocket of the tunnel's origin. Those of other origins are the browser's own. */
export class TunnelWebSocket extends EventTarget {
  /** @type {Window} */
  static shell;
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  #port;
  #url;
  #state = 0;
  #protocol = "";
  #buffered = 0;
  /** @type {BinaryType} */
  #binaryType = "blob";
  /** Keeps the order while the content of a blob is read. */
  #sending = Promise.resolve();
  /** @type {Map<string, any>} */
  #handlers = new Map();

  /** @param {string | URL} url @param {string | string[]} protocols */
  constructor(url, protocols = []) {
    super();
    const parsed = parse(url);
    // @ts-expect-error another object is returned on purpose
    if (parsed.host !== location.host) return new Native(url, protocols);
    const list = (Array.isArray(protocols) ? protocols : [protocols]).map(String);
    const isWrong = new Set(list.map((it) => it.toLowerCase())).size !== list.length || !list.every((it) => token.test(it));
    if (isWrong) throw new DOMException("A subprotocol is malformed or named twice.", "SyntaxError");
    this.#url = parsed.href;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => this.#receive(data);
    addEventListener("pagehide", this.#leave);
    TunnelWebSocket.shell.postMessage({ gruppetto: "web-socket", url: parsed.href, protocols: list }, location.origin, [port2]);
  }

  get url() { return this.#url; }
  get readyState() { return this.#state; }
  get protocol() { return this.#protocol; }
  get extensions() { return ""; }
  get bufferedAmount() { return this.#buffered; }
  get binaryType() { return this.#binaryType; }
  set binaryType(type) { if (type === "blob" || type === "arraybuffer") this.#binaryType = type; }

  /** @param {string | ArrayBuffer | ArrayBufferView | Blob} data */
  send(data) {
    if (this.#state === 0) throw new DOMException("The socket is not open yet.", "InvalidStateError");
    const content = copy(data);
    const size = typeof content === "string" ? new TextEncoder().encode(content).length
      : content instanceof Blob ? content.size : content.byteLength;
    this.#buffered += size;
    if (this.#state !== 1) return;
    if (!(content instanceof Blob)) return this.#queue(() => this.#post(content, size));
    this.#queue(async () => this.#post(await content.arrayBuffer(), size));
  }

  /** @param {number} [code] @param {string} reason */
  close(code, reason = "") {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException("The code must be 1000, or 3000 to 4999.", "InvalidAccessError");
    }
    if (new TextEncoder().encode(reason).length > 123) throw new DOMException("The reason is too long.", "SyntaxError");
    if (this.#state >= 2) return;
    this.#state = 2;
    this.#queue(() => this.#port?.postMessage({ kind: "close", code, reason }));
  }

  /** @param {() => void | Promise<void>} action */
  #queue(action) {
    this.#sending = this.#sending.then(action);
  }

  /** @param {string | ArrayBuffer} content @param {number} size */
  #post(content, size) {
    const transfer = typeof content === "string" ? [] : [content];
    this.#port?.postMessage({ kind: typeof content === "string" ? "text" : "binary", content, size }, transfer);
  }

  /** @param {any} message of the shell page */
  #receive({ kind, content, protocol, size, code, reason, wasClean }) {
    if (kind === "sent") {
      this.#buffered -= size;
    } else if (kind === "open" && this.#state === 0) {
      this.#state = 1;
      this.#protocol = protocol;
      this.dispatchEvent(new Event("open"));
    } else if (kind === "text" || kind === "binary") {
      if (this.#state !== 1) return;
      const data = kind === "binary" && this.#binaryType === "blob" ? new Blob([content]) : content;
      this.dispatchEvent(new MessageEvent("message", { data, origin: new URL(this.#url ?? "").origin }));
    } else if (kind === "close" && this.#state !== 3) {
      this.#end({ code, reason, wasClean });
    }
  }

  /** @param {CloseEventInit} event */
  #end(event) {
    this.#state = 3;
    this.#port?.close();
    removeEventListener("pagehide", this.#leave);
    if (!event.wasClean) this.dispatchEvent(new Event("error"));
    this.dispatchEvent(new CloseEvent("close", event));
  }

  /** The page is left, and may be shown again later. */
  #leave = () => {
    this.#port?.postMessage({ kind: "gone" });
    addEventListener("pageshow", () => this.#state !== 3 && this.#end({ code: 1006, reason: "", wasClean: false }), { once: true });
  };

  // Event handlers as attributes (HTML, section 8.1.8.1).
  static {
    for (const type of ["open", "message", "error", "close"]) {
      Object.defineProperty(this.prototype, `on${type}`, {
        configurable: true,
        enumerable: true,
        get() {
          return this.#handlers.get(type)?.given ?? null;
        },
        set(given) {
          const before = this.#handlers.get(type);
          if (before) this.removeEventListener(type, before.listener);
          this.#handlers.delete(type);
          if (typeof given !== "function") return;
          /** @param {Event} event */
          const listener = (event) => given.call(this, event);
          this.#handlers.set(type, { given, listener });
          this.addEventListener(type, listener);
        },
      });
    }
  }
}

for (const [at, name] of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"].entries()) {
  Object.defineProperty(TunnelWebSocket.prototype, name, { value: at, enumerable: true });
}
Object.defineProperty(TunnelWebSocket, "name", { value: "WebSocket" });

/** @param {string | URL} text */
function parse(text) {
  if (!URL.canParse(text, document.baseURI)) throw new DOMException("The address is malformed.", "SyntaxError");
  const url = new URL(text, document.baseURI);
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(url.protocol) || url.hash !== "") {
    throw new DOMException("The address must begin with ws: or wss:, and have no fragment.", "SyntaxError");
  }
  return url;
}

/**
 * What is sent, so that later changes of a buffer do not matter.
 *
 * @param {any} data
 * @returns {string | ArrayBuffer | Blob}
 */
function copy(data) {
  if (data instanceof Blob) return data;
  if (data instanceof ArrayBuffer) return data.slice(0);
  if (!ArrayBuffer.isView(data)) return String(data);
  return /** @type {ArrayBuffer} */ (data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
}
