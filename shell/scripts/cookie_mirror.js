// Keeps the jar, `document.cookie` and the other tabs of the tunnel in agreement.

import { CookieJar, pageText } from "./cookies.js";
import { load, save } from "./storage.js";

/** Key in `sessionStorage` of cookies that were not stored when the page was left. */
const unsavedKey = "gruppetto-unsaved-cookies";

/** The cookies of the site in this browser. */
export class CookieMirror {
  /** @param {CookieJar} jar */
  constructor(jar) {
    this.jar = jar;
    this.seen = document.cookie;
    this.tabs = new BroadcastChannel("gruppetto-cookies");
    this.tabs.onmessage = ({ data }) => jar.put(data, Date.now());
    this.unsaved = false;
    for (const cookie of [...jar.cookies.values()]) this.show(cookie);
    addEventListener("pagehide", () => this.keepUnsaved());
  }

  static async open() {
    const kept = takeUnsaved() ?? (await load("cookies"));
    return new CookieMirror(new CookieJar(Array.isArray(kept) ? kept : []));
  }

  /**
   * Value of the field `Cookie` for a path.
   *
   * @param {string} path
   */
  header(path) {
    this.takeChanges();
    return this.jar.header(path, Date.now());
  }

  /**
   * Takes a `Set-Cookie` field of a response.
   *
   * @param {string} text
   * @param {string} path path of the request
   */
  setFromResponse(text, path) {
    this.takeChanges();
    this.store(this.jar.set(text, { host: location.hostname, path, now: Date.now() }));
  }

  /**
   * Takes what a page has assigned to `document.cookie`: for a path that this page cannot read.
   *
   * @param {string} text
   * @param {string} path path of the page
   */
  setFromPage(text, path) {
    const cookie = this.jar.set(text, { host: location.hostname, path, now: Date.now(), fromPage: true });
    this.seen = document.cookie;
    if (cookie) this.share(cookie);
  }

  /** Takes what pages have changed in `document.cookie` by themselves. */
  takeChanges() {
    const current = document.cookie;
    if (current === this.seen) return;
    const context = { path: location.pathname, now: Date.now() };
    const changed = this.jar.takeChanges(this.seen, current, context);
    this.seen = current;
    changed.forEach((cookie) => this.share(cookie));
  }

  /**
   * Changes this page's path, on which depends what `document.cookie` shows.
   *
   * @param {() => void} change
   */
  whileMoving(change) {
    this.takeChanges();
    change();
    this.seen = document.cookie;
  }

  /** @param {import("./cookies.js").Cookie | null} cookie */
  store(cookie) {
    if (!cookie) return;
    this.show(cookie);
    this.share(cookie);
  }

  /** @param {import("./cookies.js").Cookie} cookie */
  show(cookie) {
    if (!cookie.httpOnly) document.cookie = pageText(cookie);
    this.seen = document.cookie;
  }

  /** @param {import("./cookies.js").Cookie} cookie */
  share(cookie) {
    this.tabs.postMessage(cookie);
    if (this.unsaved) return;
    this.unsaved = true;
    // Cookies that are set at the same time are saved together.
    setTimeout(async () => {
      const kept = [...this.jar.cookies.values()];
      this.unsaved = false;
      this.saving = save("cookies", kept).finally(() => (this.saving = undefined));
    });
  }

  /** Keeps cookies for the next page of this tab, which may come before the browser has stored them. */
  keepUnsaved() {
    this.takeChanges();
    if (!this.unsaved && !this.saving) return;
    try {
      sessionStorage.setItem(unsavedKey, JSON.stringify([...this.jar.cookies.values()]));
    } catch {
      // Without storage there is nothing to keep them in.
    }
  }
}

/** Cookies that the page before could not store. */
function takeUnsaved() {
  try {
    const kept = sessionStorage.getItem(unsavedKey);
    sessionStorage.removeItem(unsavedKey);
    const cookies = kept === null ? null : JSON.parse(kept);
    if (Array.isArray(cookies)) save("cookies", cookies);
    return cookies;
  } catch {
    return null;
  }
}
