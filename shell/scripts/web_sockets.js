// WebSockets of framed pages (injected/web_socket.js), as streams of the tunnel.

/** Time for the closing handshake, in milliseconds. */
const closeTimeout = 5000;

/** One WebSocket of a page. */
export class PageSocket {
  /**
   * @param {{ url: string, protocols: string[] }} request
   * @param {MessagePort} port
   * @param {import("./tunnel.js").Tunnel} tunnel
   */
  constructor(request, port, tunnel) {
    this.port = port;
    this.tunnel = tunnel;
    this.decoder = new tunnel.wasm.MessageDecoder();
    this.isOver = false;
    this.hasSentClose = false;
    port.onmessage = ({ data }) => this.handle(data);
    port.addEventListener("close", () => this.gone());
    this.open(request);
  }

  /** @param {{ url: string, protocols: string[] }} request */
  async open({ url, protocols }) {
    const { pathname, search } = new URL(url);
    const channel = await this.tunnel.channelForRequest();
    if (this.isOver) return;
    if (!channel) return this.fail();
    const cookie = this.tunnel.cookies.header(pathname);
    const authorization = this.tunnel.authorization.field;
    const fields = ["origin", location.origin, "user-agent", navigator.userAgent];
    if (cookie) fields.push("cookie", cookie);
    if (authorization) fields.push("authorization", authorization);
    if (protocols.length > 0) fields.push("sec-websocket-protocol", protocols.join(", "));
    const head = { isWebSocket: true, method: "GET", target: pathname + search, fields, hasBody: true };
    this.stream = channel.open(head, {
      head: (status, list) => this.head(status, list),
      data: (bytes) => this.data(bytes),
      end: () => this.fail(),
      fail: () => this.fail(),
    });
  }

  /** @param {number} status @param {string[]} list */
  head(status, list) {
    if (status !== 101) return this.fail();
    const at = list.indexOf("sec-websocket-protocol");
    this.port.postMessage({ kind: "open", protocol: at < 0 ? "" : list[at + 1] });
  }

  /** @param {Uint8Array} bytes */
  data(bytes) {
    if (this.isOver) return;
    try {
      this.decoder.push(bytes);
      for (let message = this.decoder.next(); message && !this.isOver; message = this.decoder.next()) this.received(message);
    } catch {
      this.fail();
    }
    this.stream?.consumed(bytes.length);
  }

  /** @param {any[]} message as `MessageDecoder::next` describes it */
  received([kind, content, reason]) {
    if (kind === "text") return this.port.postMessage({ kind, content });
    if (kind === "binary") return this.port.postMessage({ kind, content: content.buffer }, [content.buffer]);
    this.sendClose(content, "");
    // 1005: a close frame without a status (RFC 6455, section 7.1.5).
    this.close({ code: content ?? 1005, reason, wasClean: true });
  }

  /** @param {any} message of the page */
  async handle({ kind, content, size, code, reason }) {
    if (kind === "gone") return this.gone();
    if (!this.stream) return kind === "close" && this.fail();
    if (kind === "close") {
      this.sendClose(code, reason);
      setTimeout(() => this.fail(), closeTimeout);
      return;
    }
    const { encodeText, encodeBinary } = this.tunnel.wasm;
    await this.stream.write(kind === "text" ? encodeText(content) : encodeBinary(new Uint8Array(content)));
    if (!this.isOver) this.port.postMessage({ kind: "sent", size });
  }

  /** @param {number | undefined} code @param {string} reason */
  async sendClose(code, reason) {
    const { stream } = this;
    if (this.hasSentClose || !stream) return;
    this.hasSentClose = true;
    const written = stream.write(this.tunnel.wasm.encodeClose(code, reason));
    await written;
    stream.finish();
  }

  /** The page has gone, so nothing is read any more. */
  gone() {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.hasSentClose) this.sendClose(1001, "").finally(() => this.stream?.cancel());
    this.decoder.free();
  }

  fail() {
    if (this.isOver) return;
    this.stream?.cancel();
    this.close({ code: 1006, reason: "", wasClean: false });
  }

  /** @param {{ code: number, reason: string, wasClean: boolean }} event */
  close(event) {
    this.isOver = true;
    this.port.postMessage({ kind: "close", ...event });
    this.decoder.free();
  }
}
