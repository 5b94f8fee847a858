import assert from "node:assert/strict";
import { test } from "node:test";
import { adaptFrameOptions, adaptPolicies } from "../scripts/security_policy.js";

const hash = "'sha256-abc='";
const adapted = (policy) => adaptPolicies(policy, hash);

test("the injected script is allowed by its hash, in a directive for script elements alone", () => {
  assert.equal(adapted("script-src 'self'"), `script-src 'self'; script-src-elem 'self' ${hash}`);
  assert.equal(adapted("default-src 'none'; img-src *"), `default-src 'none'; img-src *; script-src-elem ${hash}`);
  assert.equal(adapted("script-src 'self'; script-src-elem https://a.example"), `script-src 'self'; script-src-elem https://a.example ${hash}`);
});

test("a hash does not take 'unsafe-inline' from the site's own scripts", () => {
  assert.equal(adapted("script-src 'self' 'unsafe-inline'"), "script-src 'self' 'unsafe-inline'");
  const overruled = "script-src 'unsafe-inline' 'nonce-123'";
  assert.equal(adapted(overruled), `${overruled}; script-src-elem 'unsafe-inline' 'nonce-123' ${hash}`);
});

test("frames of the same origin are allowed and no others", () => {
  assert.equal(adapted("frame-ancestors 'none'"), "frame-ancestors 'self'");
  assert.equal(adapted("frame-ancestors https://a.example"), "frame-ancestors https://a.example 'self'");
  assert.equal(adapted("frame-ancestors 'self'"), "frame-ancestors 'self'");
  assert.equal(adaptFrameOptions("DENY"), "SAMEORIGIN");
  assert.equal(adaptFrameOptions("sameorigin"), "sameorigin");
});

test("everything else of a policy stays, in each of several policies", () => {
  assert.equal(adapted("img-src 'self'; upgrade-insecure-requests"), "img-src 'self'; upgrade-insecure-requests");
  assert.equal(adapted("img-src 'self', frame-ancestors 'none'"), "img-src 'self', frame-ancestors 'self'");
  // The first of two directives counts.
  assert.equal(adapted("img-src a.example; img-src b.example"), "img-src a.example");
});
