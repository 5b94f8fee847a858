// The visitor's connections to the tunnel peer: the relayed channel and the direct one.
// tunnel::ways decides between them.

import { TunnelChannel } from "./channel.js";
import { DirectLink } from "./direct_link.js";
import { VisitorSocket } from "./visitor_socket.js";

/** @typedef {"direct" | "relayed"} Way */

/** Time that a request waits for a way, in milliseconds. */
const wayTimeout = 8000;
/** Shortest time between two looks at what moving bytes change, in milliseconds. */
const lookInterval = 100;

/** Connections of this page. */
export class Tunnel {
  /**
   * @param {object} options
   * @param {typeof import("./shell_wasm.js")} options.wasm
   * @param {string} options.token
   * @param {import("./cookie_mirror.js").CookieMirror} options.cookies
   * @param {import("./authorization.js").Authorization} options.authorization
   * @param {boolean} options.connectsDirectly
   * @param {(reason: string) => void} options.onRefused
   */
  constructor({ wasm, token, cookies, authorization, connectsDirectly, onRefused }) {
    this.wasm = wasm;
    this.token = token;
    this.cookies = cookies;
    this.authorization = authorization;
    this.onRefused = onRefused;
    /** Called when requests take another way. */
    this.onMoved = () => {};
    this.name = "";
    this.ways = new wasm.Ways(connectsDirectly && typeof RTCPeerConnection === "function");
    /** @type {Record<Way, TunnelChannel | null>} */
    this.channels = { direct: null, relayed: null };
    /** Requests that wait for a way. @type {Set<() => void>} */
    this.waiting = new Set();
    /** Times at which unanswered pings were sent, by their values. @type {Map<number, number>} */
    this.pings = new Map();
    this.nextPing = 1;
    this.lookedAt = 0;
    this.isStopped = false;
    /** @type {RTCIceServer[]} */
    this.iceServers = [];
    this.attempt = 0;
    /** @type {DirectLink | null} */
    this.link = null;
    this.socket = new VisitorSocket(`${location.origin.replace(/^http/, "ws")}/.gruppetto/socket`, {
      ready: (name, iceServers) => this.ready(name, iceServers),
      offline: () => this.channels.relayed?.close(),
      closed: () => this.channels.relayed?.close(),
      frame: (bytes) => this.channels.relayed?.receive(bytes),
      signal: (signal) => this.link?.receive(signal),
    });
  }

  /** Number of requests that are open. */
  get requests() {
    return (this.channels.direct?.active ?? 0) + (this.channels.relayed?.active ?? 0);
  }

  /**
   * Channel for a new request; null if there is no way for some time.
   *
   * @returns {Promise<TunnelChannel | null>}
   */
  async channelForRequest() {
    if (this.ways.way === "offline") await this.nextWay();
    const { way } = this.ways;
    return way === "offline" ? null : this.channels[way];
  }

  /** @returns {Promise<void>} */
  nextWay() {
    this.socket.retryNow();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, wayTimeout);
      this.waiting.add(done);
    });
  }

  /** @param {string} name @param {RTCIceServer[]} iceServers */
  ready(name, iceServers) {
    this.channels.relayed?.close();
    this.name = name;
    this.iceServers = iceServers;
    this.openChannel("relayed", {
      send: (message) => this.socket.send(message),
      buffered: () => this.socket.buffered,
      close: () => {},
    });
  }

  connect() {
    this.attempt += 1;
    const link = new DirectLink(this.attempt, this.iceServers, {
      signal: (signal) => this.socket.sendSignal(signal),
      open: () => this.openChannel("direct", {
        send: (message) => link.send(message),
        buffered: () => link.buffered,
        close: () => link.close(),
      }),
      frame: (bytes) => this.channels.direct?.receive(bytes),
      closed: () => {
        if (this.link !== link) return;
        this.link = null;
        if (this.channels.direct) this.channels.direct.close();
        else this.step((now) => this.ways.closed(now, true));
      },
    });
    this.link = link;
  }

  /**
   * @param {Way} way
   * @param {import("./channel.js").Transport} transport
   */
  openChannel(way, transport) {
    const { ways } = this;
    const isDirect = way === "direct";
    // The first messages are sent while the channel is made.
    const channel = new TunnelChannel(new this.wasm.Channel(this.token), transport, {
      accepted: () => {
        if (!isDirect) this.socket.accepted();
        this.step((now) => ways.opened(now, isDirect));
      },
      refused: (reason) => this.refused(way, reason),
      pong: (value) => this.answered(isDirect, value),
      received: (bytes) => this.look((now) => ways.received(now, isDirect, bytes)),
      sent: (bytes, buffered) => this.look((now) => {
        ways.sent(now, isDirect, bytes);
        ways.buffered(now, isDirect, buffered);
      }),
      changed: () => this.step((now) => ways.requests(now, this.requests)),
      failed: () => {
        if (this.channels[way] === channel) this.channels[way] = null;
        this.step((now) => ways.closed(now, isDirect));
      },
    });
    this.channels[way] = channel;
  }

  /** @param {Way} way @param {string} reason */
  refused(way, reason) {
    // A peer that is busy may have room later.
    if (reason === "busy") return way === "direct" ? this.channels.direct?.close() : this.socket.restart();
    this.stop();
    this.onRefused(reason);
  }

  /** @param {boolean} isDirect @param {number} value */
  answered(isDirect, value) {
    const sent = this.pings.get(value);
    this.pings.delete(value);
    if (sent !== undefined) this.step((now) => this.ways.pong(now, isDirect, sent));
  }

  /**
   * Tells the ways about moving bytes, which seldom changes what to do next.
   *
   * @param {(now: number) => void} input
   */
  look(input) {
    const now = performance.now();
    if (now - this.lookedAt > lookInterval) this.step(input);
    else input(now);
  }

  /** @param {(now: number) => void} input */
  step(input) {
    const now = performance.now();
    this.lookedAt = now;
    input(now);
    for (let output = this.ways.pollOutput(); output; output = this.ways.pollOutput()) this.apply(output, now);
    clearTimeout(this.timer);
    const due = this.ways.pollTimeout(now);
    if (due === undefined || this.isStopped) return;
    this.timer = setTimeout(() => this.step((later) => this.ways.timeout(later)), Math.max(due - now, 0) + 1);
  }

  /** @param {any[]} output as `Ways::poll_output` describes it @param {number} now */
  apply([kind, value], now) {
    switch (kind) {
      case "ping": return this.ping(value ? this.channels.direct : this.channels.relayed, now);
      case "connect": return this.isStopped ? undefined : this.connect();
      case "close": {
        const { link } = this;
        this.link = null;
        link?.close();
        return this.channels.direct?.close();
      }
      case "use":
        if (value !== "offline") [...this.waiting].forEach((done) => done());
        this.onMoved();
    }
  }

  /** @param {TunnelChannel | null} channel @param {number} now */
  ping(channel, now) {
    const value = this.nextPing;
    this.nextPing = (value + 1) % 2 ** 32;
    // Pings of channels that have failed are never answered.
    if (this.pings.size > 16) this.pings.clear();
    this.pings.set(value, now);
    channel?.ping(value);
  }

  /** Closes everything for good. */
  stop() {
    this.isStopped = true;
    this.socket.stop();
    clearTimeout(this.timer);
    this.link?.close();
    this.channels.direct?.close();
    this.channels.relayed?.close();
  }
}
