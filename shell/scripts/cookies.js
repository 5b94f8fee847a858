// Cookies of a tunnel's site (RFC 6265). Browsers drop `Set-Cookie` of a service worker's answers,
// and workers see no `Cookie`, so the shell page keeps a jar of its own.

/**
 * @typedef {object} Cookie
 * @property {string} name
 * @property {string} value
 * @property {string} path
 * @property {number | null} expires milliseconds since 1970; null at the end of the session
 * @property {number} created milliseconds since 1970
 * @property {boolean} httpOnly
 */

/** Most cookies of a jar, and most characters of one: what browsers allow for a site. */
const maxCookies = 180;
const maxLength = 4096;
/** Prefix of the server's own cookies, which are no business of the site. */
const reserved = "gruppetto_";

/** The cookies of one host, on which they are kept by name and path. */
export class CookieJar {
  /** @param {Cookie[]} cookies */
  constructor(cookies = []) {
    /** @type {Map<string, Cookie>} */
    this.cookies = new Map(cookies.slice(0, maxCookies).map((cookie) => [key(cookie), cookie]));
  }

  /**
   * Takes a `Set-Cookie` field of a response, or a text that a page assigned to `document.cookie`.
   * Returns the cookie (one that has expired is removed), or null if it is refused.
   *
   * @param {string} text
   * @param {{ host: string, path: string, now: number, fromPage?: boolean }} context path of the
   *   request or page
   * @returns {Cookie | null}
   */
  set(text, { host, path, now, fromPage = false }) {
    const cookie = parse(text, host, path, now);
    if (!cookie || (fromPage && cookie.httpOnly)) return null;
    const before = this.cookies.get(key(cookie));
    if (fromPage && before?.httpOnly) return null;
    this.put({ ...cookie, created: before?.created ?? now }, now);
    return cookie;
  }

  /**
   * Stores a cookie as it is, or removes it if it has expired.
   *
   * @param {Cookie} cookie
   * @param {number} now
   */
  put(cookie, now) {
    if (isExpired(cookie, now)) this.cookies.delete(key(cookie));
    else this.cookies.set(key(cookie), cookie);
    if (this.cookies.size > maxCookies) this.makeRoom(now);
  }

  /**
   * Cookies for a path, in the order of RFC 6265, section 5.4.
   *
   * @param {string} path
   * @param {number} now
   */
  matching(path, now) {
    return [...this.cookies.values()]
      .filter((cookie) => !isExpired(cookie, now) && pathMatches(path, cookie.path))
      .sort((a, b) => b.path.length - a.path.length || a.created - b.created);
  }

  /**
   * Value of the field `Cookie`; empty if there is none.
   *
   * @param {string} path
   * @param {number} now
   */
  header(path, now) {
    return this.matching(path, now).map(pair).join("; ");
  }

  /**
   * Takes what pages have changed in `document.cookie` between two readings of it.
   *
   * @param {string} before
   * @param {string} after
   * @param {{ path: string, now: number }} context path of the page that read it
   * @returns {Cookie[]} the changed cookies; removed ones have expired
   */
  takeChanges(before, after, { path, now }) {
    const [old, current] = [pairs(before), pairs(after)];
    const changed = [];
    for (const name of new Set([...old.keys(), ...current.keys()])) {
      const value = current.get(name);
      if (value === old.get(name) || name.startsWith(reserved)) continue;
      const known = this.matching(path, now).find((cookie) => cookie.name === name);
      if (known?.httpOnly || known?.value === value || (!known && value === undefined)) continue;
      const base = known ?? { name, value: "", path: "/", expires: null, created: now, httpOnly: false };
      const cookie = value === undefined ? { ...base, expires: 0 } : { ...base, value };
      this.put(cookie, now);
      changed.push(cookie);
    }
    return changed;
  }

  /** @param {number} now */
  makeRoom(now) {
    for (const [name, cookie] of this.cookies) if (isExpired(cookie, now)) this.cookies.delete(name);
    const [oldest] = [...this.cookies].sort(([, a], [, b]) => a.created - b.created);
    if (this.cookies.size > maxCookies) this.cookies.delete(oldest[0]);
  }
}

/**
 * Text that sets or removes this cookie when it is assigned to `document.cookie`.
 *
 * @param {Cookie} cookie
 */
export function pageText(cookie) {
  const expires = cookie.expires === null ? "" : `; Expires=${new Date(cookie.expires).toUTCString()}`;
  return `${pair(cookie)}; Path=${cookie.path}${expires}; SameSite=Lax`;
}

/**
 * Parses a `Set-Cookie` field (RFC 6265, section 5.2).
 *
 * @returns {Cookie | null}
 * @param {string} text
 * @param {string} host
 * @param {string} path
 * @param {number} now
 */
function parse(text, host, path, now) {
  if (text.length > maxLength || /[\0-\x08\x0a-\x1f\x7f]/.test(text)) return null;
  const [first, ...attributes] = text.split(";");
  const [name, value] = split(first, true);
  if ((name === "" && value === "") || name.toLowerCase().startsWith(reserved)) return null;
  /** @type {Cookie} */
  const cookie = { name, value, path: defaultPath(path), expires: null, created: now, httpOnly: false };
  let hasMaxAge = false;
  for (const attribute of attributes) {
    const [kind, content] = split(attribute, false);
    switch (kind.toLowerCase()) {
      case "expires": {
        const time = Date.parse(content);
        if (!hasMaxAge && !Number.isNaN(time)) cookie.expires = Math.max(time, 0);
        break;
      }
      case "max-age":
        if (!/^-?\d+$/.test(content)) break;
        hasMaxAge = true;
        cookie.expires = Number(content) <= 0 ? 0 : now + Math.min(Number(content), 400 * 86_400) * 1000;
        break;
      case "domain":
        if (content !== "" && content.replace(/^\./, "").toLowerCase() !== host) return null;
        break;
      case "path":
        cookie.path = content.startsWith("/") ? content : defaultPath(path);
        break;
      case "httponly":
        cookie.httpOnly = true;
        break;
      default:
        // Secure and SameSite do not matter within one origin.
    }
  }
  return cookie;
}

/**
 * @param {string} text
 * @param {boolean} isPair a text without `=` is the value of a cookie, but the name of an attribute
 */
function split(text, isPair) {
  const at = text.indexOf("=");
  if (at < 0) return isPair ? ["", text.trim()] : [text.trim(), ""];
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** @param {string} path */
function defaultPath(path) {
  const end = path.lastIndexOf("/");
  return path.startsWith("/") && end > 0 ? path.slice(0, end) : "/";
}

/**
 * @param {string} path
 * @param {string} of
 */
function pathMatches(path, of) {
  return path === of || (path.startsWith(of) && (of.endsWith("/") || path[of.length] === "/"));
}

/**
 * @param {Cookie} cookie
 * @param {number} now
 */
function isExpired(cookie, now) {
  return cookie.expires !== null && cookie.expires <= now;
}

/** @param {Cookie} cookie */
function pair(cookie) {
  return cookie.name === "" ? cookie.value : `${cookie.name}=${cookie.value}`;
}

/** @param {string} text value of `document.cookie` */
function pairs(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const part of text.split("; ").filter(Boolean)) {
    const [name, value] = split(part, true);
    // The cookie with the longest path comes first.
    if (!found.has(name)) found.set(name, value);
  }
  return found;
}

/** @param {Cookie} cookie */
function key(cookie) {
  return `${cookie.name};${cookie.path}`;
}
