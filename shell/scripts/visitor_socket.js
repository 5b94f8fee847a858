// The visitor's socket to the server: signals as text, frames of the relayed channel as bytes.

/** Delays before the socket is opened again, in milliseconds. */
const delays = [300, 1000, 2000, 5000, 10_000];
/** Time in which a socket must open, in milliseconds. */
const openTimeout = 10_000;
/** Interval of liveness checks, and time without any message after which the socket is given up. */
const pingInterval = 10_000;
const silentTimeout = 25_000;

/** Keeps a socket open. */
export class VisitorSocket {
  /**
   * @param {string} url
   * @param {{ ready: (name: string, iceServers: RTCIceServer[]) => void, offline: () => void, signal: (signal: any) => void, frame: (bytes: ArrayBuffer) => void, closed: () => void }} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.failures = 0;
    this.isStopped = false;
    this.open();
    // A network that has come back is used at once.
    addEventListener("online", () => this.retryNow());
    setInterval(() => this.check(), pingInterval);
  }

  open() {
    this.lastHeard = performance.now();
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      this.lastHeard = performance.now();
      if (typeof data === "string") this.handleText(data);
      else this.handlers.frame(data);
    };
    socket.onclose = () => this.ended(socket);
    setTimeout(() => socket.readyState === WebSocket.CONNECTING && this.ended(socket), openTimeout);
  }

  /** @param {string} text */
  handleText(text) {
    const message = JSON.parse(text);
    switch (message.type) {
      case "ready": return this.handlers.ready(String(message.name), message.iceServers);
      case "offline":
        this.failures = 0;
        return this.handlers.offline();
      case "signal": return this.handlers.signal(message.signal);
    }
  }

  /** @param {WebSocket} socket */
  ended(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    socket.close();
    this.handlers.closed();
    if (this.isStopped) return;
    const delay = delays[Math.min(this.failures++, delays.length - 1)];
    this.timer = setTimeout(() => this.open(), delay * (0.75 + Math.random() / 2));
  }

  retryNow() {
    if (this.socket || this.isStopped) return;
    clearTimeout(this.timer);
    this.open();
  }

  check() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (performance.now() - /** @type {number} */ (this.lastHeard) > silentTimeout) return this.ended(this.socket);
    this.socket.send(JSON.stringify({ type: "ping" }));
  }

  /** Closes a socket whose relayed channel does not answer; another one is opened. */
  restart() {
    if (this.socket) this.ended(this.socket);
  }

  /** @param {any} signal */
  sendSignal(signal) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "signal", signal }));
  }

  /** The peer takes this visitor: the next delay is the shortest again. */
  accepted() {
    this.failures = 0;
  }

  /** @param {Uint8Array} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(/** @type {any} */ (message));
  }

  get buffered() {
    return this.socket?.bufferedAmount ?? 0;
  }

  /** Closes the socket for good. */
  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}
