// Decides which way requests take, and when to ask whether a way still answers. A state machine
// without timers: `handle` takes what happened, `pollOutput` says what to do until it returns
// null, `pollTimeout` says when to call `handle` with a tick. Times are in milliseconds.

/** @typedef {"direct" | "relayed"} Way */

/**
 * @typedef {{ kind: "opened" | "closed", way: Way } | { kind: "pong", way: Way, value: number }
 *   | { kind: "busy", isBusy: boolean } | { kind: "tick" } | { kind: "can-connect", canConnect: boolean }} Input
 */

/**
 * @typedef {{ kind: "ping", way: Way, value: number } | { kind: "move", way: Way | "offline" }
 *   | { kind: "connect" } | { kind: "give-up", way: Way }} Output
 */

/** Interval of pings while requests are open, and while none is. */
const busyInterval = 500;
const idleInterval = 5000;
/** Time after which a way without an answer has failed. The relay may be slow at its limit. */
const silentTimeout = { direct: 1500, relayed: 15_000 };
/** Delays before the direct way is tried again. */
const connectDelays = [1000, 2000, 5000, 10_000, 30_000];
/** Share of a new measurement in the smoothed latency. */
const smoothing = 1 / 4;

/** The ways of one visitor. */
export class Ways {
  constructor() {
    /** @type {Record<Way, { openSince: number | null, pingAt: number, pending: { value: number, at: number } | null, latency: number | null }>} */
    this.state = { direct: closed(), relayed: closed() };
    /** @type {Way | "offline"} */
    this.way = "offline";
    this.isBusy = false;
    this.canConnect = false;
    this.connectAt = 0;
    /** @type {number | null} */
    this.connectingSince = null;
    this.failures = 0;
    this.nextPing = 1;
    /** @type {Output[]} */
    this.outputs = [];
    this.counters = { attempts: 0, successes: 0, connectTime: 0, fallbacks: 0 };
  }

  /** Smoothed round trip of the current way. */
  get latency() {
    return this.way === "offline" ? null : this.state[this.way].latency;
  }

  /**
   * @param {number} now
   * @param {Input} input
   */
  handle(now, input) {
    switch (input.kind) {
      case "opened": this.opened(now, input.way); break;
      case "closed": this.closed(now, input.way); break;
      case "pong": this.answered(now, input.way, input.value); break;
      case "busy":
        this.isBusy = input.isBusy;
        for (const way of this.open()) {
          const state = this.state[way];
          if (input.isBusy) state.pingAt = Math.min(state.pingAt, now + busyInterval);
        }
        break;
      case "can-connect":
        if (input.canConnect && !this.canConnect) {
          this.failures = 0;
          this.connectAt = now;
        }
        this.canConnect = input.canConnect;
        break;
    }
    this.tick(now);
  }

  /** @returns {Output | null} */
  pollOutput() {
    return this.outputs.shift() ?? null;
  }

  /** @returns {number | null} */
  pollTimeout() {
    const times = this.open().flatMap((way) => {
      const { pending, pingAt } = this.state[way];
      return [pending ? pending.at + silentTimeout[way] : pingAt];
    });
    if (this.shouldConnect()) times.push(this.connectAt);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** @param {number} now @param {Way} way */
  opened(now, way) {
    this.state[way] = { ...closed(), openSince: now, pingAt: now };
    if (way === "direct") {
      this.failures = 0;
      this.counters.successes += 1;
      this.counters.connectTime += now - (this.connectingSince ?? now);
      this.connectingSince = null;
    }
    this.choose();
  }

  /** @param {number} now @param {Way} way */
  closed(now, way) {
    this.state[way] = closed();
    if (way === "direct") {
      this.connectingSince = null;
      this.connectAt = now + connectDelays[Math.min(this.failures++, connectDelays.length - 1)];
    }
    this.choose();
  }

  choose() {
    const [way = /** @type {const} */ ("offline")] = this.open();
    if (way === this.way) return;
    if (this.way === "direct") this.counters.fallbacks += 1;
    this.way = way;
    this.outputs.push({ kind: "move", way });
  }

  /** @param {number} now @param {Way} way @param {number} value */
  answered(now, way, value) {
    const state = this.state[way];
    if (state.pending?.value !== value) return;
    const trip = now - state.pending.at;
    state.latency = state.latency === null ? trip : state.latency + (trip - state.latency) * smoothing;
    state.pingAt = Math.max(state.pending.at + (this.isBusy ? busyInterval : idleInterval), now);
    state.pending = null;
  }

  /** @param {number} now */
  tick(now) {
    for (const way of this.open()) {
      const state = this.state[way];
      if (state.pending && now >= state.pending.at + silentTimeout[way]) {
        this.outputs.push({ kind: "give-up", way });
        this.closed(now, way);
      } else if (!state.pending && now >= state.pingAt) {
        state.pending = { value: this.nextPing, at: now };
        this.outputs.push({ kind: "ping", way, value: this.nextPing });
        this.nextPing = (this.nextPing + 1) % 2 ** 32;
      }
    }
    if (this.shouldConnect() && now >= this.connectAt) {
      this.connectingSince = now;
      this.counters.attempts += 1;
      this.outputs.push({ kind: "connect" });
    }
  }

  shouldConnect() {
    return this.canConnect && this.connectingSince === null && this.state.direct.openSince === null;
  }

  /** Open ways, the best one first. @returns {Way[]} */
  open() {
    return /** @type {Way[]} */ (["direct", "relayed"]).filter((way) => this.state[way].openSince !== null);
  }
}

function closed() {
  return { openSince: null, pingAt: 0, pending: null, latency: null };
}
