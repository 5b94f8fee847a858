// The visitor's connections to the tunnel peer: the relayed channel, the direct one, and the
// decision between them.

import { TunnelChannel } from "./channel.js";
import { DirectLink } from "./direct_link.js";
import { VisitorSocket } from "./visitor_socket.js";
import { Ways } from "./ways.js";

/** Time that a request waits for a way, in milliseconds. */
const wayTimeout = 8000;

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
    this.connectsDirectly = connectsDirectly && typeof RTCPeerConnection === "function";
    /** Called when requests take another way. */
    this.onMoved = () => {};
    this.name = "";
    this.ways = new Ways();
    /** @type {Record<import("./ways.js").Way, TunnelChannel | null>} */
    this.channels = { direct: null, relayed: null };
    /** Bytes of channels that have ended. */
    this.pastBytes = { direct: 0, relayed: 0 };
    /** @type {Set<() => void>} */
    this.waiting = new Set();
    /** @type {RTCIceServer[]} */
    this.iceServers = [];
    this.attempt = 0;
    /** @type {DirectLink | null} */
    this.link = null;
    this.socket = new VisitorSocket(`${location.origin.replace(/^http/, "ws")}/.gruppetto/socket`, {
      ready: (name, iceServers) => this.ready(name, iceServers),
      offline: () => this.relayEnded(),
      closed: () => this.relayEnded(),
      frame: (bytes) => this.channels.relayed?.receive(bytes),
      signal: (signal) => this.link?.receive(signal),
    });
  }

  /** Bytes of messages by way. */
  get bytes() {
    const { direct, relayed } = this.channels;
    return {
      direct: this.pastBytes.direct + (direct?.bytes ?? 0),
      relayed: this.pastBytes.relayed + (relayed?.bytes ?? 0),
    };
  }

  /**
   * Channel for a new request; null if there is no way for some time.
   *
   * @returns {Promise<TunnelChannel | null>}
   */
  async channelForRequest() {
    if (this.ways.way === "offline") await this.nextWay();
    const { way } = this.ways;
    // The request is opened first, which makes the channel busy.
    setTimeout(() => this.step({ kind: "tick" }));
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
    this.relayEnded();
    this.name = name;
    this.iceServers = iceServers;
    this.openChannel("relayed", {
      send: (message) => this.socket.send(message),
      buffered: () => this.socket.buffered,
      close: () => {},
    });
    // A peer that has come back knows nothing of the link to the one before.
    if (this.ways.way !== "direct") this.link?.close();
    if (this.connectsDirectly) this.step({ kind: "can-connect", canConnect: true });
  }

  relayEnded() {
    this.channels.relayed?.close();
    this.step({ kind: "can-connect", canConnect: false });
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
        if (this.link === link) this.link = null;
        if (this.channels.direct) this.channels.direct.close();
        else this.step({ kind: "closed", way: "direct" });
      },
    });
    this.link = link;
  }

  /**
   * @param {import("./ways.js").Way} way
   * @param {import("./channel.js").Transport} transport
   */
  openChannel(way, transport) {
    const channel = new TunnelChannel(new this.wasm.Channel(this.token), transport, {
      accepted: () => this.step({ kind: "opened", way }),
      refused: (reason) => this.refused(way, reason),
      pong: (value) => this.step({ kind: "pong", way, value }),
      failed: () => {
        if (this.channels[way] !== channel) return;
        this.pastBytes[way] += channel.bytes;
        this.channels[way] = null;
        this.step({ kind: "closed", way });
      },
    });
    this.channels[way] = channel;
  }

  /** @param {import("./ways.js").Way} way @param {string} reason */
  refused(way, reason) {
    if (reason === "busy") return this.giveUp(way);
    this.stop();
    this.onRefused(reason);
  }

  /** @param {import("./ways.js").Way} way */
  giveUp(way) {
    this.channels[way]?.close();
    if (way === "relayed") this.socket.restart();
  }

  /** @param {import("./ways.js").Input} input */
  step(input) {
    const now = performance.now();
    const isBusy = Object.values(this.channels).some((channel) => (channel?.active ?? 0) > 0);
    if (isBusy !== this.ways.isBusy) this.ways.handle(now, { kind: "busy", isBusy });
    this.ways.handle(now, input);
    for (let output = this.ways.pollOutput(); output; output = this.ways.pollOutput()) this.apply(output);
    clearTimeout(this.timer);
    const at = this.ways.pollTimeout();
    if (at !== null) this.timer = setTimeout(() => this.step({ kind: "tick" }), Math.max(at - performance.now(), 0) + 1);
  }

  /** @param {import("./ways.js").Output} output */
  apply(output) {
    switch (output.kind) {
      case "ping": return this.channels[output.way]?.ping(output.value);
      case "give-up": return this.giveUp(output.way);
      case "connect": return this.connect();
      case "move":
        this.onMoved();
        if (output.way !== "offline") [...this.waiting].forEach((done) => done());
    }
  }

  /** Closes everything for good. */
  stop() {
    this.socket.stop();
    this.connectsDirectly = false;
    this.link?.close();
    this.channels.relayed?.close();
    this.step({ kind: "can-connect", canConnect: false });
  }
}
