#!/usr/bin/env node
// Starts Firefox ESR for Playwright, which speaks WebDriver BiDi with it.
//
// Playwright sends a command that Firefox ESR 153 does not know yet, emulation.setMediaFeaturesOverride, and gives up
// without an answer. No test that runs in Firefox depends on media features, so it is answered here.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { WebSocket, WebSocketServer } from "ws";

const UNKNOWN = "emulation.setMediaFeaturesOverride";

const firefox = spawn("firefox-esr", process.argv.slice(2), { stdio: ["ignore", "inherit", "pipe"] });
firefox.on("exit", (code) => process.exit(code ?? 1));
firefox.on("error", (error) => {
  console.error(`Firefox ESR does not start: ${error.message}. Run tools/setup.sh browsers.`);
  process.exit(1);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => firefox.kill());

createInterface({ input: firefox.stderr }).on("line", (line) => {
  const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line) ?? [];
  if (!address) return console.error(line);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () => {
    console.error(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}`);
  });
  server.on("connection", (client, request) => connect(client, new WebSocket(address + request.url)));
});

/** Passes messages between Playwright and Firefox. */
function connect(playwright, browser) {
  const early = [];
  playwright.on("message", (data) => {
    const message = data.toString();
    const { id, method } = JSON.parse(message);
    if (method === UNKNOWN) playwright.send(JSON.stringify({ type: "success", id, result: {} }));
    else if (browser.readyState === WebSocket.OPEN) browser.send(message);
    else early.push(message);
  });
  browser.on("open", () => early.forEach((message) => browser.send(message)));
  browser.on("message", (data) => playwright.send(data.toString()));
  for (const [one, other] of [[playwright, browser], [browser, playwright]]) {
    one.on("close", () => other.close());
    one.on("error", () => other.close());
  }
}
