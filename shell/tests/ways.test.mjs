import assert from "node:assert/strict";
import { test } from "node:test";
import { Ways } from "../scripts/ways.js";

/** Ways on virtual time. */
class Visit {
  ways = new Ways();
  now = 0;
  outputs = [];

  handle(input) {
    this.ways.handle(this.now, input);
    for (let output = this.ways.pollOutput(); output; output = this.ways.pollOutput()) this.outputs.push(output);
  }

  /** Lets time pass; pings on these ways are answered after 20 ms. */
  pass(time, answered = []) {
    const until = this.now + time;
    for (;;) {
      const ping = answered.length > 0 && this.outputs.findLast((it) => it.kind === "ping" && answered.includes(it.way) && !it.isAnswered);
      if (ping) {
        ping.isAnswered = true;
        this.now += 20;
        this.handle({ kind: "pong", way: ping.way, value: ping.value });
        continue;
      }
      const at = this.ways.pollTimeout();
      if (at === null || at > until) break;
      this.now = Math.max(this.now, at);
      this.handle({ kind: "tick" });
    }
    this.now = Math.max(until, this.now);
  }

  count(kind, way) {
    return this.outputs.filter((it) => it.kind === kind && (!way || it.way === way)).length;
  }
}

function relayed() {
  const visit = new Visit();
  visit.handle({ kind: "opened", way: "relayed" });
  visit.handle({ kind: "can-connect", canConnect: true });
  return visit;
}

test("requests begin relayed and move to the direct way when it opens", () => {
  const visit = relayed();
  assert.equal(visit.ways.way, "relayed");
  assert.equal(visit.count("connect"), 1);
  visit.now = 300;
  visit.handle({ kind: "opened", way: "direct" });
  assert.equal(visit.ways.way, "direct");
  assert.deepEqual(visit.ways.counters, { attempts: 1, successes: 1, connectTime: 300, fallbacks: 0 });
});

test("a direct way that falls silent under load fails within two seconds", () => {
  const visit = relayed();
  visit.handle({ kind: "opened", way: "direct" });
  visit.handle({ kind: "busy", isBusy: true });
  visit.pass(10_000, ["direct", "relayed"]);
  assert.equal(visit.ways.way, "direct");
  const silentSince = visit.now;
  while (visit.ways.way === "direct") visit.pass(10, ["relayed"]);
  assert.ok(visit.now - silentSince <= 2020, String(visit.now - silentSince));
  assert.equal(visit.ways.way, "relayed");
  assert.equal(visit.ways.counters.fallbacks, 1);
  assert.equal(visit.count("give-up", "direct"), 1);
});

test("a failed direct way is tried again with growing delays", () => {
  const visit = relayed();
  const times = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    while (visit.count("connect") <= attempt) visit.pass(10, ["relayed"]);
    times.push(visit.now);
    visit.handle({ kind: "closed", way: "direct" });
  }
  const delays = times.slice(1).map((time, at) => Math.round((time - times[at]) / 1000));
  assert.deepEqual(delays, [1, 2, 5, 10, 30, 30]);
});

test("an idle way is asked seldom and a busy one often", () => {
  const visit = relayed();
  visit.pass(20_000, ["relayed"]);
  assert.ok(visit.count("ping") <= 5, String(visit.count("ping")));
  visit.outputs = [];
  visit.handle({ kind: "busy", isBusy: true });
  visit.pass(5000, ["relayed"]);
  assert.ok(visit.count("ping") >= 9, String(visit.count("ping")));
});

test("without any way the visitor is offline", () => {
  const visit = relayed();
  visit.handle({ kind: "closed", way: "relayed" });
  assert.equal(visit.ways.way, "offline");
  assert.deepEqual(visit.outputs.at(-1), { kind: "move", way: "offline" });
});

test("an answer to an older ping does not count", () => {
  const visit = relayed();
  visit.handle({ kind: "pong", way: "relayed", value: 999 });
  assert.equal(visit.ways.latency, null);
  visit.pass(100, ["relayed"]);
  assert.equal(visit.ways.latency, 20);
});
