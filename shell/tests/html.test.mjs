import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredEncoding, ScriptInjector } from "../scripts/html.js";

const bytes = (text) => new TextEncoder().encode(text);

/** The page as the browser gets it, when it comes in pieces of this length. */
function inject(page, length = 7) {
  const injector = new ScriptInjector("x()");
  const pieces = [];
  for (let at = 0; at < page.length; at += length) pieces.push(...injector.push(page.subarray(at, at + length)));
  return Buffer.concat([...pieces, ...injector.end()]).toString();
}

test("the script stands before all others and behind the doctype", () => {
  assert.equal(inject(bytes("<!doctype html><html lang=de><head><script>")), "<!doctype html><script>x()</script><html lang=de><head><script>");
  assert.equal(inject(bytes(" <!-- a --> <!DOCTYPE html>\n<p>")), " <!-- a --> <!DOCTYPE html><script>x()</script>\n<p>");
});

test("a page without a doctype stays one", () => {
  assert.equal(inject(bytes("<p>Text")), "<script>x()</script><p>Text");
  assert.equal(inject(new Uint8Array(0)), "<script>x()</script>");
});

test("a byte order mark stays the first", () => {
  assert.equal(inject(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes("<p>")])), "\ufeff<script>x()</script><p>");
});

test("long pages pass through whole, whatever the pieces", () => {
  const page = bytes(`<!doctype html>${"ü".repeat(5000)}`);
  for (const length of [1, 1000, 1024, 5000, 20_000]) {
    assert.equal(inject(page, length), `<!doctype html><script>x()</script>${"ü".repeat(5000)}`);
  }
});

test("the encoding that a page declares is found", () => {
  const encoding = (text) => declaredEncoding(bytes(text));
  assert.equal(encoding(`<meta charset="iso-8859-1">`), "iso-8859-1");
  assert.equal(encoding(`<META http-equiv=Content-Type content="text/html; charset=windows-1252">`), "windows-1252");
  assert.equal(encoding(`<!-- <meta charset=utf-16> --><title>charset=x</title>`), null);
});
