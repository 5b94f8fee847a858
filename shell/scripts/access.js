// The token of the link, and the session at the server that it gives.

import { load, remove, save } from "./storage.js";

/** The token, and after a second `#` the fragment that the site gets. */
const fragmentForm = /^#([a-z2-7]{32})(#.*)?$/;

/**
 * Token of a fragment, and the fragment for the site.
 *
 * @param {string} hash
 */
export function splitFragment(hash) {
  const [, token = null, rest = ""] = fragmentForm.exec(hash) ?? [];
  return { token, hash: token === null ? hash : rest };
}

/**
 * Takes the token from the address, where it is not shown any longer, or else the one that was
 * kept. Null if there is none.
 *
 * @returns {Promise<string | null>}
 */
export async function takeToken() {
  const { token, hash } = splitFragment(location.hash);
  if (token === null) return (await load("token")) ?? null;
  history.replaceState(history.state, "", location.pathname + location.search + hash);
  await save("token", token);
  return token;
}

/** Forgets a token that was refused. */
export function forgetToken() {
  return remove("token");
}

/**
 * Exchanges the token for the cookie with which the server relays requests that take no channel.
 *
 * @param {string} token
 * @returns {Promise<"open" | "refused" | "unavailable">}
 */
export async function openSession(token) {
  try {
    const response = await fetch("/.gruppetto/session", { method: "POST", body: token, headers: { "content-type": "text/plain" } });
    if (response.ok) return "open";
    return response.status === 403 ? "refused" : "unavailable";
  } catch {
    return "unavailable";
  }
}
