// One attempt to connect to the tunnel peer directly: an RTCPeerConnection with one data channel.

/** Time for an attempt, in milliseconds. */
const attemptTimeout = 15_000;
/** Time in which candidates are collected into one signal, in milliseconds. */
const candidateDelay = 50;

/** An RTCPeerConnection and its data channel. */
export class DirectLink {
  /**
   * Makes an offer.
   *
   * @param {number} attempt
   * @param {RTCIceServer[]} iceServers
   * @param {{ signal: (signal: any) => void, open: () => void, frame: (bytes: ArrayBuffer) => void, closed: () => void }} handlers
   */
  constructor(attempt, iceServers, handlers) {
    this.attempt = attempt;
    this.handlers = handlers;
    this.isClosed = false;
    /** Candidates of the peer that came before its answer. @type {string[]} */
    this.early = [];
    /** @type {string[]} */
    this.candidates = [];
    this.connection = new RTCPeerConnection({ iceServers });
    this.channel = this.connection.createDataChannel("tunnel", { negotiated: true, id: 0, ordered: true });
    this.channel.binaryType = "arraybuffer";
    this.timer = setTimeout(() => this.close(), attemptTimeout);

    this.channel.onopen = () => {
      clearTimeout(this.timer);
      handlers.open();
    };
    this.channel.onmessage = ({ data }) => handlers.frame(data);
    this.channel.onclose = () => this.close();
    this.connection.onconnectionstatechange = () => {
      if (this.connection.connectionState === "failed") this.close();
    };
    this.connection.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (this.candidates.length === 0) setTimeout(() => this.sendCandidates(), candidateDelay);
      this.candidates.push(JSON.stringify(candidate));
    };
    this.offer().catch(() => this.close());
  }

  async offer() {
    await this.connection.setLocalDescription();
    const sdp = this.connection.localDescription?.sdp;
    if (!this.isClosed) this.handlers.signal({ type: "offer", attempt: this.attempt, sdp });
  }

  sendCandidates() {
    const candidates = this.candidates.splice(0);
    if (!this.isClosed) this.handlers.signal({ type: "candidates", attempt: this.attempt, candidates });
  }

  /** @param {any} signal */
  async receive(signal) {
    if (this.isClosed || signal.attempt !== this.attempt) return;
    if (signal.type === "answer") {
      try {
        await this.connection.setRemoteDescription({ type: "answer", sdp: signal.sdp });
      } catch {
        return this.close();
      }
      this.early.splice(0).forEach((candidate) => this.addCandidate(candidate));
    } else if (signal.type === "candidates") {
      for (const candidate of signal.candidates) {
        if (this.connection.remoteDescription) this.addCandidate(candidate);
        else if (this.early.length < 64) this.early.push(candidate);
      }
    }
  }

  /** @param {string} candidate an `RTCIceCandidateInit` as JSON */
  addCandidate(candidate) {
    // A candidate that the browser does not understand is one path less.
    this.connection.addIceCandidate(JSON.parse(candidate)).catch(() => {});
  }

  /** @param {Uint8Array} message */
  send(message) {
    if (this.channel.readyState === "open") this.channel.send(/** @type {any} */ (message));
  }

  get buffered() {
    return this.channel.bufferedAmount;
  }

  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    this.channel.onclose = null;
    this.connection.close();
    this.handlers.closed();
  }
}
