// One channel to the tunnel peer: a multiplexer in WebAssembly over a data channel or a socket.

/**
 * Path of binary messages.
 *
 * @typedef {object} Transport
 * @property {(message: Uint8Array) => void} send
 * @property {() => number} buffered bytes that are not sent yet
 * @property {() => void} close
 */

/**
 * @typedef {object} StreamHandlers
 * @property {(status: number, fields: string[]) => void} head
 * @property {(bytes: Uint8Array) => void} data call `consumed` when they are processed
 * @property {() => void} end
 * @property {(reason: Failure) => void} fail nothing more follows
 */

/**
 * Reason why a stream has ended early. `lost`: the channel has failed. `malformed`: the request
 * cannot be sent.
 *
 * @typedef {"cancelled" | "unreachable" | "timed-out" | "refused" | "broken" | "lost" | "malformed"} Failure
 */

/**
 * @typedef {object} RequestHead
 * @property {boolean} isWebSocket
 * @property {string} method
 * @property {string} target
 * @property {string[]} fields names and values in turn
 * @property {boolean} hasBody
 */

/** Bytes that may wait in the transport: more would only delay what is urgent. */
const maxBuffered = 1024 * 1024;
/** Interval at which a full transport is looked at again, in milliseconds. */
const fullInterval = 10;

/** Streams of one channel. */
export class TunnelChannel {
  /**
   * @param {import("./shell_wasm.js").Channel} multiplexer
   * @param {Transport} transport
   * @param {{ accepted: () => void, refused: (reason: string) => void, pong: (value: number) => void, received: (bytes: number) => void, sent: (bytes: number, buffered: number) => void, changed: () => void, failed: () => void }} handlers
   *   `changed`: the number of streams has changed
   */
  constructor(multiplexer, transport, handlers) {
    this.multiplexer = multiplexer;
    this.transport = transport;
    this.handlers = handlers;
    /** @type {Map<number, TunnelStream>} */
    this.streams = new Map();
    /** Streams that wait until another one has ended. @type {Set<TunnelStream>} */
    this.waiting = new Set();
    this.isClosed = false;
    this.isHandling = false;
    this.flush();
  }

  /** Number of streams that are open or wait. */
  get active() {
    return this.streams.size + this.waiting.size;
  }

  /**
   * Begins a request.
   *
   * @param {RequestHead} head
   * @param {StreamHandlers} handlers
   */
  open(head, handlers) {
    const stream = new TunnelStream(this, head, handlers);
    this.begin(stream);
    return stream;
  }

  /** @param {TunnelStream} stream */
  begin(stream) {
    if (this.isClosed) return stream.fail("lost");
    const { isWebSocket, method, target, fields, hasBody } = stream.head;
    try {
      stream.id = this.multiplexer.open(isWebSocket, method, target, fields, hasBody);
    } catch {
      return stream.fail("malformed");
    }
    if (stream.id === 0) {
      this.waiting.add(stream);
      return;
    }
    this.streams.set(stream.id, stream);
    this.waiting.delete(stream);
    stream.writable();
    this.flush();
    this.handlers.changed();
  }

  /** @param {number} value */
  ping(value) {
    if (this.isClosed) return;
    this.multiplexer.ping(value);
    this.flush();
  }

  /** @param {ArrayBuffer} message */
  receive(message) {
    if (this.isClosed) return;
    this.handlers.received(message.byteLength);
    if (this.isClosed) return;
    try {
      this.multiplexer.receive(new Uint8Array(message));
    } catch (error) {
      console.warn("The tunnel's channel is closed:", error);
      return this.close();
    }
    this.handleEvents();
    this.flush();
  }

  /** Sends what waits, as long as the transport takes it. */
  flush() {
    clearTimeout(this.timer);
    while (!this.isClosed && this.transport.buffered() < maxBuffered) {
      const message = this.multiplexer.pollMessage();
      if (!message) break;
      this.transport.send(message);
      this.handlers.sent(message.byteLength, this.transport.buffered());
    }
    if (this.isClosed) return;
    if (this.transport.buffered() >= maxBuffered) this.timer = setTimeout(() => this.flush(), fullInterval);
    // Sent bytes make room in the buffers of streams.
    this.handleEvents();
  }

  handleEvents() {
    // A handler may write, which flushes, which comes here again.
    if (this.isHandling) return;
    this.isHandling = true;
    try {
      for (;;) {
        const event = this.isClosed ? undefined : this.multiplexer.pollEvent();
        if (!event) break;
        this.handle(event);
      }
      // Streams that have ended make room.
      for (const stream of [...this.waiting]) {
        this.begin(stream);
        if (stream.id === 0) break;
      }
    } finally {
      this.isHandling = false;
    }
  }

  /** @param {any[]} event as `Channel::poll_event` describes it */
  handle([kind, value, ...rest]) {
    const stream = this.streams.get(value);
    switch (kind) {
      case "accepted": return this.handlers.accepted();
      case "refused": return this.handlers.refused(value);
      case "pong": return this.handlers.pong(value);
      case "head": return stream?.handlers.head(rest[0], rest[1]);
      case "data": return stream ? stream.handlers.data(rest[0]) : this.multiplexer.consumed(value, rest[0].length);
      case "writable": return stream?.writable();
      case "end":
        if (stream) stream.isRead = true;
        this.forget(stream);
        return stream?.handlers.end();
      case "reset":
        if (stream) this.remove(stream);
        return stream?.fail(rest[0]);
    }
  }

  /**
   * A stream is over when both bodies have ended.
   *
   * @param {TunnelStream | undefined} stream
   */
  forget(stream) {
    if (stream?.isRead && stream.isWritten) this.remove(stream);
  }

  /** @param {TunnelStream} stream */
  remove(stream) {
    this.waiting.delete(stream);
    if (this.streams.delete(stream.id)) this.handlers.changed();
  }

  /** Ends all streams, after the transport has failed or before it is given up. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    const streams = [...this.streams.values(), ...this.waiting];
    this.streams.clear();
    this.waiting.clear();
    this.transport.close();
    this.multiplexer.free();
    this.handlers.failed();
    for (const stream of streams) stream.fail("lost");
  }
}

/** One request with its response, or one WebSocket. */
export class TunnelStream {
  /**
   * @param {TunnelChannel} channel
   * @param {RequestHead} head
   * @param {StreamHandlers} handlers
   */
  constructor(channel, head, handlers) {
    this.channel = channel;
    this.head = head;
    this.handlers = handlers;
    /** Number within the channel; 0 until it is open. */
    this.id = 0;
    this.isRead = false;
    this.isWritten = !head.hasBody;
    this.hasFailed = false;
    /** Bytes that wait for room, and what to call when there is some. @type {{ bytes: Uint8Array, done: () => void }[]} */
    this.unwritten = [];
  }

  /**
   * Writes bytes of the request's body; resolves when the channel has accepted all of them.
   *
   * @param {Uint8Array} bytes
   * @returns {Promise<void>}
   */
  write(bytes) {
    return new Promise((done) => {
      this.unwritten.push({ bytes, done });
      if (this.unwritten.length === 1) this.writable();
    });
  }

  writable() {
    while (this.isOpen && this.unwritten.length > 0) {
      const first = this.unwritten[0];
      const accepted = this.channel.multiplexer.write(this.id, first.bytes);
      if (accepted < first.bytes.length) {
        first.bytes = first.bytes.subarray(accepted);
        break;
      }
      this.unwritten.shift();
      first.done();
    }
    if (this.isOpen) this.channel.flush();
  }

  /** Ends the request's body after what has been written. */
  async finish() {
    if (this.unwritten.length > 0) await this.write(new Uint8Array(0));
    if (!this.isOpen) return;
    this.channel.multiplexer.finish(this.id);
    this.isWritten = true;
    this.channel.forget(this);
    this.channel.flush();
  }

  /** @param {number} bytes number of bytes that the reader has taken */
  consumed(bytes) {
    if (!this.isOpen) return;
    this.channel.multiplexer.consumed(this.id, bytes);
    this.channel.flush();
  }

  /** Ends the stream in both directions; no handler is called any more. */
  cancel() {
    if (this.hasFailed) return;
    this.hasFailed = true;
    if (this.channel.isClosed) return;
    this.channel.remove(this);
    if (this.id === 0) return;
    // Also after both bodies have ended: then it gives credit for what was not read.
    this.channel.multiplexer.cancel(this.id);
    this.channel.flush();
  }

  get isOpen() {
    return this.id !== 0 && !this.hasFailed && !this.channel.isClosed;
  }

  /** @param {Failure} reason */
  fail(reason) {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.unwritten = [];
    this.handlers.fail(reason);
  }
}
