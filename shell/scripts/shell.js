// The shell page of a tunnel's origin: connects to the tunnel peer, and shows the site in a frame.

import { forgetToken, openSession, splitFragment, takeToken } from "./access.js";
import { Authorization } from "./authorization.js";
import { CookieMirror } from "./cookie_mirror.js";
import { Exchange } from "./exchange.js";
import { PageFrame } from "./page_frame.js";
import init, * as wasm from "./shell_wasm.js";
import { StatusBar } from "./status_bar.js";
import { Tunnel } from "./tunnel.js";
import { PageSocket } from "./web_sockets.js";

/** Address of the WebAssembly module, set by the build. */
const wasmPath = /** @type {any} */ (globalThis).__WASM_PATH__;
/** Time in which the service worker must be ready, in milliseconds. */
const workerTimeout = 5000;
/** Interval of messages that keep the worker alive while bodies stream, in milliseconds. */
const keepAliveInterval = 10_000;
/** Interval between two tries to open the session at the server, in milliseconds. */
const sessionInterval = 30_000;
/** Time in which no connection is no reason to worry, in milliseconds. */
const connectingTime = 5000;

const notices = {
  incomplete: ["This link is incomplete", "The end of the link, after the sign #, is missing. Ask for the whole link again."],
  forbidden: ["This link is not valid", "The link is wrong, or the page has got a new one. Ask for the link again."],
  version: ["The versions differ", "The program on the other computer has another version than this server. Reload, or ask for an update."],
};

/** @param {string} selector @returns {any} */
const find = (selector) => document.querySelector(selector);

main();

async function main() {
  takeLinkOfOpenPage();
  const token = await takeToken();
  if (!token) return refuse("incomplete");
  const [session, registration, cookies] = await Promise.all([
    openSession(token), registerWorker(), CookieMirror.open(), init({ module_or_path: wasmPath }),
  ]);
  if (session === "refused") return refuse("forbidden");
  if (session === "unavailable") retrySession(token);

  const tunnel = new Tunnel({
    wasm, token, cookies,
    authorization: new Authorization(find("[data-password]")),
    // Without a service worker every request goes to the server.
    connectsDirectly: registration !== null,
    onRefused: refuse,
  });
  const started = performance.now();
  const bar = new StatusBar(() => ({
    isConnecting: tunnel.ways.way === "offline" && performance.now() - started < connectingTime,
    name: tunnel.name,
    hasCounters: registration !== null,
    ways: tunnel.ways,
  }), () => `${location.origin}${location.pathname}${location.search}#${token}${location.hash}`);
  tunnel.onMoved = () => bar.update();

  if (registration) serveWorker(registration, tunnel);
  serveFrames(tunnel, bar, registration !== null);
  new PageFrame(find("[data-main]"), cookies);
}

/**
 * The service worker of this origin; null where the browser has none.
 *
 * @returns {Promise<ServiceWorkerRegistration | null>}
 */
async function registerWorker() {
  try {
    const registration = await navigator.serviceWorker.register("/.gruppetto/service-worker.js", { scope: "/" });
    const timeout = new Promise((resolve) => setTimeout(resolve, workerTimeout, null));
    return registration ? await Promise.race([navigator.serviceWorker.ready, timeout]) : null;
  } catch {
    return null;
  }
}

/** @param {ServiceWorkerRegistration} registration @param {Tunnel} tunnel */
function serveWorker(registration, tunnel) {
  navigator.serviceWorker.addEventListener("message", ({ data, ports }) => {
    if (data?.kind === "request") new Exchange(data.request, ports[0], tunnel);
  });
  navigator.serviceWorker.startMessages();
  setInterval(() => {
    if (tunnel.requests > 0) registration.active?.postMessage("keep-alive");
  }, keepAliveInterval);
}

/**
 * Messages of the script in framed pages (injected/). They are of the same origin, so nothing is
 * kept secret from them.
 *
 * @param {Tunnel} tunnel
 * @param {StatusBar} bar
 * @param {boolean} hasWorker
 */
function serveFrames(tunnel, bar, hasWorker) {
  if (!hasWorker) return;
  /** @type {any} */ (window).gruppettoShell = true;
  addEventListener("message", ({ data, origin, ports }) => {
    if (origin !== location.origin) return;
    switch (data?.gruppetto) {
      case "web-socket": new PageSocket(data, ports[0], tunnel); break;
      case "cookie": tunnel.cookies.setFromPage(data.text, data.path); break;
      case "service-worker": bar.remark("The page's own service worker is not used"); break;
    }
  });
}

/** Reloads when a new link is opened in a tab that shows the page already. */
function takeLinkOfOpenPage() {
  addEventListener("hashchange", () => {
    if (splitFragment(location.hash).token) location.reload();
  });
}

/** @param {string} token */
async function retrySession(token) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, sessionInterval));
    const session = await openSession(token);
    if (session === "refused") refuse("forbidden");
    if (session !== "unavailable") return;
  }
}

/** @param {string} reason */
async function refuse(reason) {
  const [title, text] = notices[/** @type {keyof typeof notices} */ (reason)] ?? notices.version;
  find("iframe")?.remove();
  find("[data-bar]").hidden = true;
  find("[data-notice-title]").textContent = title;
  find("[data-notice-text]").textContent = text;
  find("[data-notice-retry]").onclick = () => location.reload();
  find("[data-notice-retry]").hidden = reason === "incomplete";
  find("[data-notice]").hidden = false;
  if (reason !== "forbidden") return;
  await forgetToken();
  const registrations = await navigator.serviceWorker?.getRegistrations() ?? [];
  await Promise.all(registrations.map((registration) => registration.unregister()));
}
