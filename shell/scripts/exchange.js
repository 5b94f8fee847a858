// One request of a page, from the service worker to the tunnel peer and back.

import { fromFlat, hasNoBody, requestFields, responseFields } from "./fields.js";
import { errorPage } from "./error_page.js";
import { scriptHash } from "./injected.js";

/**
 * What the service worker asks for.
 *
 * @typedef {object} WorkerRequest
 * @property {string} method
 * @property {string} url
 * @property {[string, string][]} headers
 * @property {string} mode
 * @property {string} destination
 * @property {string} referrer
 * @property {string} cache
 * @property {boolean} hasBody
 * @property {boolean} canResend the body can be read a second time
 */

const maxAttempts = 3;
const frames = new Set(["iframe", "frame", "embed", "object"]);

/** Status and explanation for a stream that ended without a response. @type {Record<string, [number, string]>} */
const failures = {
  "timed-out": [504, "The site on the other computer did not answer in time."],
  unreachable: [502, "The site on the other computer cannot be reached. It may not be running."],
  refused: [502, "The request or the answer is larger than the tunnel allows, or malformed."],
  malformed: [502, "The request is larger than the tunnel allows, or malformed."],
  lost: [502, "The connection failed while the request was under way. It was not sent again, because it may have been carried out."],
  offline: [502, "The other computer cannot be reached. It may be switched off or have no network."],
};
const broken = /** @type {[number, string]} */ ([502, "The connection to the site broke before it answered."]);

/** Carries one request out. */
export class Exchange {
  /**
   * @param {WorkerRequest} request
   * @param {MessagePort} port
   * @param {import("./tunnel.js").Tunnel} tunnel
   */
  constructor(request, port, tunnel) {
    this.request = request;
    this.port = port;
    this.tunnel = tunnel;
    this.attempts = 0;
    this.hasAnswered = false;
    this.hasTakenBody = false;
    this.isOver = false;
    port.onmessage = ({ data }) => this.handle(data);
    port.postMessage({ kind: "taken" });
    this.begin();
  }

  async begin() {
    this.attempts += 1;
    const channel = await this.tunnel.channelForRequest();
    if (this.isOver) return;
    if (!channel) return this.fail("offline");
    const { request, tunnel } = this;
    const { pathname, search } = new URL(request.url);
    const fields = requestFields({ ...request, origin: location.origin }, {
      userAgent: navigator.userAgent,
      languages: navigator.languages,
      cookie: tunnel.cookies.header(pathname),
      authorization: tunnel.authorization.field,
    });
    const head = { isWebSocket: false, method: request.method, target: pathname + search, fields, hasBody: request.hasBody };
    this.stream = channel.open(head, {
      head: (status, list) => this.head(status, fromFlat(list)),
      data: (bytes) => this.data(bytes),
      end: () => this.end(),
      fail: (reason) => this.fail(reason),
    });
    if (request.hasBody) this.pull();
  }

  /** Asks for the next piece of the request's body. */
  pull() {
    if (this.isOver || this.stream?.hasFailed) return;
    this.hasTakenBody = true;
    this.port.postMessage({ kind: "pull", attempt: this.attempts });
  }

  /** @param {any} message of the worker */
  async handle(message) {
    const { stream } = this;
    switch (message.kind) {
      case "consumed": return stream?.consumed(message.bytes);
      case "cancel":
        this.isOver = true;
        this.port.close();
        return stream?.cancel();
      case "chunk":
        // Pieces of an attempt that has failed may still come.
        if (message.attempt !== this.attempts) return;
        await stream?.write(message.bytes);
        if (stream === this.stream) this.pull();
        return;
      case "body-end":
        if (message.attempt === this.attempts) stream?.finish();
    }
  }

  /**
   * @param {number} status
   * @param {import("./fields.js").Fields} fields
   */
  head(status, fields) {
    const { request, tunnel } = this;
    const { pathname } = new URL(request.url);
    for (const [name, value] of fields) if (name === "set-cookie") tunnel.cookies.setFromResponse(value, pathname);
    if (status < 200 || status > 599) return this.fail("refused");
    const isFrame = request.mode === "navigate" && frames.has(request.destination);
    const answer = responseFields(fields, { url: request.url, isFrame, scriptHash });
    const hasBody = !hasNoBody(request.method, status);
    if (!hasBody) this.skipsBody = true;
    // The browser asks for no password when a worker answers.
    if (status === 401 && isFrame && tunnel.authorization.isWanted(fields)) return this.askForPassword(fields);
    this.hasAnswered = true;
    this.port.postMessage({ kind: "head", status, ...answer, hasBody });
  }

  /** @param {import("./fields.js").Fields} fields */
  async askForPassword(fields) {
    this.stream?.cancel();
    const isGiven = await this.tunnel.authorization.ask(fields);
    if (this.isOver) return;
    if (isGiven) this.sendPage(200, reloadPage);
    else this.sendPage(401, errorPage(401, "The site asks for a user name and a password."));
  }

  /** @param {Uint8Array} bytes */
  data(bytes) {
    if (this.isOver || this.skipsBody) return this.stream?.consumed(bytes.length);
    this.port.postMessage({ kind: "data", bytes }, [bytes.buffer]);
  }

  end() {
    if (this.isOver) return;
    this.isOver = true;
    this.port.postMessage({ kind: "end" });
  }

  /** @param {string} reason */
  fail(reason) {
    if (this.isOver) return;
    const hasWholeBody = !this.hasTakenBody || this.request.canResend;
    const canRetry = reason === "lost" && this.attempts < maxAttempts
      && this.tunnel.wasm.canRetry(this.request.method, this.hasAnswered, hasWholeBody);
    if (canRetry) {
      this.begin();
    } else if (this.hasAnswered) {
      this.isOver = true;
      this.port.postMessage({ kind: "error" });
    } else {
      const [status, text] = failures[reason] ?? broken;
      this.sendPage(status, errorPage(status, text));
    }
  }

  /** @param {number} status @param {string} html */
  sendPage(status, html) {
    this.isOver = true;
    const bytes = new TextEncoder().encode(html);
    const fields = [["content-type", "text/html; charset=utf-8"], ["cache-control", "no-store"]];
    this.port.postMessage({ kind: "head", status, fields, injects: false, encoding: "identity", hasBody: this.request.method !== "HEAD" });
    this.port.postMessage({ kind: "data", bytes });
    this.port.postMessage({ kind: "end" });
  }
}

const reloadPage = "<!doctype html><title>Reload</title><script>location.reload()</script>";
