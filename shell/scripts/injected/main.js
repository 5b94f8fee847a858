// Runs in each page of the site before all scripts of its own. The shell page is the top of the
// frames; without it the page keeps what the browser has.

import { followCookies } from "./cookies.js";
import { refuseServiceWorkers } from "./service_workers.js";
import { TunnelWebSocket } from "./web_socket.js";

/** @returns {Window | null} */
function findShell() {
  try {
    return window.top && window.top !== window && "gruppettoShell" in window.top ? window.top : null;
  } catch {
    // The top is a page of another origin.
    return null;
  }
}

const shell = findShell();
if (shell) {
  TunnelWebSocket.shell = shell;
  window.WebSocket = /** @type {any} */ (TunnelWebSocket);
  followCookies(shell);
  refuseServiceWorkers(shell);
}
