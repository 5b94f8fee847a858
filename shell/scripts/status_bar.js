// Bar under the framed page: the way that requests take, its latency and bytes, and counters.

/** Interval between two readings of the numbers, in milliseconds. */
const interval = 1000;
/** Time for which a remark stays, in milliseconds. */
const remarkTime = 8000;
const wayTexts = { direct: "Direct", relayed: "Relayed", offline: "Offline" };

/** @param {string} selector @returns {HTMLElement} */
const find = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/**
 * What the bar shows.
 *
 * @typedef {object} Status
 * @property {boolean} isConnecting
 * @property {string} name
 * @property {boolean} hasCounters false if requests do not go through this page
 * @property {import("./shell_wasm.js").Ways} ways
 */

/** The bar of this page. */
export class StatusBar {
  /**
   * @param {() => Status} read
   * @param {() => string} link address to copy
   */
  constructor(read, link) {
    this.read = read;
    const collapse = find("[data-collapse]");
    collapse.onclick = () => {
      const isCollapsed = find("[data-bar]").toggleAttribute("data-collapsed");
      collapse.setAttribute("aria-expanded", String(!isCollapsed));
    };
    const details = find("[data-details-button]");
    details.onclick = () => {
      const isHidden = find("[data-details]").toggleAttribute("hidden");
      details.setAttribute("aria-expanded", String(!isHidden));
    };
    find("[data-copy]").onclick = async () => {
      const isCopied = await navigator.clipboard?.writeText(link()).then(() => true, () => false);
      this.remark(isCopied ? "Link copied" : "The browser does not allow to copy");
    };
    setInterval(() => this.update(), interval);
    this.update();
  }

  update() {
    const { isConnecting, name, hasCounters, ways } = this.read();
    const { way, latency } = ways;
    const [attempts, successes, connectionTime, fallbacks, direct, relayed] = ways.counters;
    find("[role=status]").dataset.way = way;
    setText("[data-way-text]", isConnecting ? "Connecting" : wayTexts[way]);
    const numbers = [way === "offline" ? "" : timeText(latency), hasCounters ? sizeText(direct + relayed) : ""];
    setText("[data-numbers]", numbers.filter(Boolean).map((it) => `· ${it}`).join(" "));
    for (const [detail, text] of Object.entries({
      name,
      attempts: String(attempts),
      successes: String(successes),
      "connection-time": timeText(connectionTime),
      latency: timeText(latency),
      fallbacks: String(fallbacks),
      "direct-bytes": sizeText(direct),
      "relayed-bytes": hasCounters ? sizeText(relayed) : "not counted",
    })) setText(`[data-detail=${detail}]`, text || "–");
  }

  /** @param {string} text */
  remark(text) {
    setText("[data-remark]", text);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => setText("[data-remark]", ""), remarkTime);
  }
}

/** @param {string} selector @param {string} text */
function setText(selector, text) {
  const element = find(selector);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {number | undefined} time in milliseconds; not a number where nothing was measured */
export function timeText(time = Number.NaN) {
  if (Number.isNaN(time)) return "";
  return time < 10_000 ? `${Math.max(Math.round(time), 1)} ms` : `${Math.round(time / 1000)} s`;
}

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 3);
  const value = bytes / 1000 ** power;
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${["", "kB", "MB", "GB"][power]}`;
}
