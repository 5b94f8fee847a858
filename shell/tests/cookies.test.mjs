import assert from "node:assert/strict";
import { test } from "node:test";
import { CookieJar, pageText } from "../scripts/cookies.js";

const now = Date.parse("2026-01-01T00:00:00Z");
const context = { host: "abc.localhost", path: "/rides/list", now };

/** A jar that has taken these Set-Cookie fields. */
function jar(...fields) {
  const filled = new CookieJar();
  for (const field of fields) filled.set(field, context);
  return filled;
}

test("a cookie is sent to its path and below", () => {
  const cookies = jar("a=1; Path=/", "b=2; Path=/rides", "c=3; Path=/rides/");
  assert.equal(cookies.header("/", now), "a=1");
  assert.equal(cookies.header("/rides", now), "b=2; a=1");
  assert.equal(cookies.header("/rides/list", now), "c=3; b=2; a=1");
  assert.equal(cookies.header("/ridesharing", now), "a=1");
});

test("without a path a cookie belongs to the folder of the request", () => {
  assert.equal(jar("a=1").cookies.values().next().value.path, "/rides");
  assert.equal(jar("a=1; Path=rides").cookies.values().next().value.path, "/rides");
});

test("Max-Age counts before Expires", () => {
  const cookies = jar("a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 2015 00:00:00 GMT");
  assert.equal(cookies.header("/", now + 59_000), "a=1");
  assert.equal(cookies.header("/", now + 60_000), "");
});

test("an expired date removes the cookie", () => {
  const cookies = jar("a=1; Path=/");
  cookies.set("a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", context);
  assert.equal(cookies.header("/", now), "");
  assert.equal(cookies.cookies.size, 0);
});

test("a later cookie of the same name and path replaces the value and keeps its place", () => {
  const cookies = jar("a=1; Path=/", "b=2; Path=/", "a=3; Path=/");
  assert.equal(cookies.header("/", now), "a=3; b=2");
});

test("other hosts' cookies, those of the server and control characters are refused", () => {
  for (const field of ["a=1; Domain=example.com", "gruppetto_tunnel=1", "a=1\r\nb: 2", "=", `a=${"x".repeat(5000)}`]) {
    assert.equal(jar(field).cookies.size, 0, field);
  }
  assert.equal(jar("a=1; Domain=.abc.localhost").cookies.size, 1);
});

test("a page neither reads nor replaces a cookie that is HttpOnly", () => {
  const cookies = jar("session=secret; Path=/; HttpOnly");
  assert.equal(cookies.set("session=mine; Path=/", { ...context, fromPage: true }), null);
  assert.equal(cookies.set("other=1; HttpOnly", { ...context, fromPage: true }), null);
  assert.deepEqual(cookies.takeChanges("", "session=mine", { path: "/", now }), []);
  assert.equal(cookies.header("/", now), "session=secret");
});

test("what pages set, change and remove in document.cookie is taken", () => {
  const cookies = jar("theme=dark; Path=/; Max-Age=600", "old=1; Path=/");
  const changed = cookies.takeChanges("theme=dark; old=1", "theme=light; new=2", { path: "/", now });
  assert.deepEqual(changed.map(({ name }) => name), ["theme", "old", "new"]);
  assert.equal(cookies.header("/", now), "theme=light; new=2");
  // The end of its life stays.
  assert.equal(cookies.header("/", now + 600_000), "new=2");
});

test("what document.cookie shows sets the same cookie", () => {
  const text = pageText(jar("a=1; Path=/rides; Max-Age=60").cookies.values().next().value);
  assert.equal(text, "a=1; Path=/rides; Expires=Thu, 01 Jan 2026 00:01:00 GMT; SameSite=Lax");
  assert.equal(jar(text).header("/rides", now), "a=1");
});

test("a site that sets cookies without end keeps a bounded number", () => {
  const cookies = new CookieJar();
  for (let at = 0; at < 1000; at++) cookies.set(`c${at}=1; Path=/`, { ...context, now: now + at });
  assert.equal(cookies.cookies.size, 180);
  assert.match(cookies.header("/", now + 1000), /c999=1$/);
});
