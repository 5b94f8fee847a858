import { expect, test } from "../fixtures/test.ts";

/** Events after which a page checks its connection. */
const wakeEvents = {
  "becomes visible": ["document", "visibilitychange"],
  "returns from the page cache": ["window", "pageshow"],
  "goes online": ["window", "online"],
} as const;

/** Limit for two seconds, with a margin for a busy machine. */
const twoSeconds = { timeout: 4_000 };

for (const [action, [target, event]] of Object.entries(wakeEvents)) {
  test(`a page that ${action} detects within two seconds that its socket is dead`, async ({ newRider, server }) => {
    const ana = await newRider("Ana", 200);
    await ana.startRide();
    const lost = ana.page.getByText(/Lost the server/);

    server.freeze();
    try {
      await ana.page.evaluate(([target, event]) => (target === "window" ? window : document).dispatchEvent(new Event(event)), [target, event] as const);
      await expect(lost).toBeVisible(twoSeconds);
    } finally {
      server.thaw();
    }
    await expect(lost).toBeHidden({ timeout: 10_000 });
    await ana.ride.card("Ana").expectRole("host");
    await expect.poll(async () => (await server.health()).riders).toBe(1);
  });
}
