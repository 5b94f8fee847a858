import { expect, test } from "../fixtures/test.ts";

/** What a browser says when its page is looked at again or its network is back. */
const wakes = { "is looked at again": ["document", "visibilitychange"], "is taken out of the browser's cache": ["window", "pageshow"], "is online again": ["window", "online"] } as const;

/** What still counts as two seconds on a busy machine. */
const twoSeconds = { timeout: 4_000 };

for (const [what, [target, event]] of Object.entries(wakes)) {
  test(`a page that ${what} replaces a socket that looks open and is dead within two seconds`, async ({ enter, server }) => {
    const ana = await enter("Ana", 200);
    await ana.startsRide();
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
