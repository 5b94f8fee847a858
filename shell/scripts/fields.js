// Header fields of requests to the tunnel peer and of its responses.

import { adaptFrameOptions, adaptPolicies } from "./security_policy.js";

/** @typedef {[name: string, value: string][]} Fields */

/** Fields that hold for one connection (RFC 9110, section 7.6.1), and those that the peer sets. */
const dropped = new Set([
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade", "host", "accept-encoding", "content-length", "cookie",
]);
const droppedFromResponses = new Set([
  "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "trailer", "transfer-encoding", "upgrade",
  "set-cookie", "set-cookie2", "strict-transport-security", "alt-svc", "service-worker-allowed",
]);
/** Statuses whose responses have no body (Fetch, section 2.2.3), but the informational ones. */
const withoutBody = new Set([204, 205, 304]);
const redirects = new Set([301, 302, 303, 307, 308]);

/** Whether the browser sends the request again to another address. @param {number} status */
export function isRedirect(status) {
  return redirects.has(status);
}

/**
 * Whether a response has no body.
 *
 * @param {string} method
 * @param {number} status
 */
export function hasNoBody(method, status) {
  return method === "HEAD" || withoutBody.has(status) || isRedirect(status);
}

/**
 * Fields of a request as the site's own server would get them. A service worker does not see those
 * that the browser adds later.
 *
 * @param {{ headers: Fields, method: string, origin: string, mode: string, destination: string, referrer: string, cache: string }} request
 * @param {{ userAgent: string, languages: readonly string[], cookie: string, authorization: string | null }} browser
 * @returns {string[]} names and values in turn
 */
export function requestFields(request, browser) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  for (const [name, value] of request.headers) {
    if (!dropped.has(name.toLowerCase())) fields.set(name.toLowerCase(), value);
  }
  /** @param {string} name @param {string} value */
  const add = (name, value) => {
    if (value !== "" && !fields.has(name)) fields.set(name, value);
  };
  add("user-agent", browser.userAgent);
  add("accept-language", languageField(browser.languages));
  add("referer", /^https?:/.test(request.referrer) ? request.referrer.split("#")[0] : "");
  const isSafe = request.method === "GET" || request.method === "HEAD";
  add("origin", isSafe ? "" : request.origin);
  add("sec-fetch-site", "same-origin");
  add("sec-fetch-mode", request.mode);
  add("sec-fetch-dest", request.destination || "empty");
  if (request.cache === "reload" || request.cache === "no-cache") add("cache-control", "no-cache");
  add("cookie", browser.cookie);
  add("authorization", browser.authorization ?? "");
  return [...fields].flat();
}

/** @param {readonly string[]} languages */
function languageField(languages) {
  return languages.slice(0, 5).map((it, at) => (at === 0 ? it : `${it};q=${(1 - at / 10).toFixed(1)}`)).join(",");
}

/**
 * Fields of a response for the browser, and what the worker must do with its body.
 *
 * @param {Fields} fields
 * @param {{ url: string, isFrame: boolean, scriptHash: string }} context address of the request;
 *   whether the response is a page for a frame
 */
export function responseFields(fields, { url, isFrame, scriptHash }) {
  const type = valueOf(fields, "content-type")?.toLowerCase() ?? "";
  const injects = isFrame && /^text\/html\b/.test(type);
  const encoding = valueOf(fields, "content-encoding")?.toLowerCase() ?? "identity";
  const changesLength = injects || encoding !== "identity";
  /** @type {Fields} */
  const kept = [];
  for (const [name, value] of fields) {
    if (droppedFromResponses.has(name) || name === "content-encoding") continue;
    if (changesLength && (name === "content-length" || name === "accept-ranges")) continue;
    kept.push([name, adapt(name, value)]);
  }
  /** @param {string} name @param {string} value */
  function adapt(name, value) {
    if (name === "location") return absolute(value, url);
    if (!isFrame) return value;
    if (name === "x-frame-options") return adaptFrameOptions(value);
    return /^content-security-policy(-report-only)?$/.test(name) ? adaptPolicies(value, scriptHash) : value;
  }
  return { fields: kept, injects, hasEncoding: /charset=/.test(type), encoding };
}

/**
 * A response of a worker has no address of its own to which a location could be relative.
 *
 * @param {string} location
 * @param {string} base
 */
function absolute(location, base) {
  return URL.canParse(location, base) ? new URL(location, base).href : location;
}

/**
 * First value of a field.
 *
 * @param {Fields} fields
 * @param {string} name in lower case
 */
export function valueOf(fields, name) {
  return fields.find((field) => field[0] === name)?.[1];
}

/**
 * Fields of a flat list of names and values.
 *
 * @param {string[]} list
 * @returns {Fields}
 */
export function fromFlat(list) {
  /** @type {Fields} */
  const fields = [];
  for (let at = 0; at + 1 < list.length; at += 2) fields.push([list[at], list[at + 1]]);
  return fields;
}
