import assert from "node:assert/strict";
import { test } from "node:test";
import { fromFlat, hasNoBody, requestFields, responseFields } from "../scripts/fields.js";

const request = {
  headers: [["Accept", "*/*"], ["Connection", "close"], ["Accept-Encoding", "br"], ["X-Ride", "1"]],
  method: "GET", origin: "http://abc.localhost", mode: "cors", destination: "", referrer: "http://abc.localhost/a#b", cache: "default",
};
const browser = { userAgent: "Browser/1", languages: ["de", "en"], cookie: "a=1", authorization: null };
const requested = (changes = {}) => Object.fromEntries(fromFlat(requestFields({ ...request, ...changes }, browser)));
const context = { url: "http://abc.localhost/rides/list", isFrame: true, scriptHash: "'sha256-abc='" };

test("a request has the fields that a browser would send to the site, but those of one connection", () => {
  assert.deepEqual(requested(), {
    accept: "*/*", "x-ride": "1", "user-agent": "Browser/1", "accept-language": "de,en;q=0.9",
    referer: "http://abc.localhost/a", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty", cookie: "a=1",
  });
});

test("requests that change something name their origin", () => {
  assert.equal(requested({ method: "POST" }).origin, "http://abc.localhost");
});

test("a page's own cookie field is not sent", () => {
  assert.equal(requested({ headers: [["cookie", "b=2"]] }).cookie, "a=1");
});

test("a reload reaches the site's caches", () => {
  assert.equal(requested({ cache: "reload" })["cache-control"], "no-cache");
});

test("cookies and fields of one connection are taken out of responses", () => {
  const { fields } = responseFields([["set-cookie", "a=1"], ["connection", "close"], ["etag", "1"]], context);
  assert.deepEqual(fields, [["etag", "1"]]);
});

test("locations become absolute", () => {
  const { fields } = responseFields([["location", "other?a#b"]], context);
  assert.deepEqual(fields, [["location", "http://abc.localhost/rides/other?a#b"]]);
});

test("a page in the frame gets the script, and no length that it no longer has", () => {
  const answer = responseFields([["content-type", "text/html"], ["content-length", "5"], ["x-frame-options", "deny"]], context);
  assert.deepEqual(answer, { fields: [["content-type", "text/html"], ["x-frame-options", "SAMEORIGIN"]], injects: true, hasEncoding: false, encoding: "identity" });
});

test("what is not a page in the frame stays as it is", () => {
  const list = [["content-type", "text/html"], ["content-length", "5"], ["content-security-policy", "script-src 'none'"]];
  assert.deepEqual(responseFields(list, { ...context, isFrame: false }).fields, list);
});

test("an encoding that nobody asked for is decoded, so its length goes", () => {
  const answer = responseFields([["content-encoding", "gzip"], ["content-length", "5"], ["content-type", "image/svg+xml"]], context);
  assert.deepEqual(answer.fields, [["content-type", "image/svg+xml"]]);
  assert.equal(answer.encoding, "gzip");
});

test("responses to HEAD, empty ones and redirects have no body", () => {
  assert.ok(hasNoBody("HEAD", 200) && hasNoBody("GET", 204) && hasNoBody("GET", 304) && hasNoBody("POST", 303));
  assert.ok(!hasNoBody("GET", 206) && !hasNoBody("GET", 404));
});
