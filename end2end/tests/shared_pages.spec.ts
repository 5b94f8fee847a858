import { expectAccessible } from "../fixtures/accessibility.ts";
import { expect, test, TunnelPeer } from "../fixtures/tunnel.ts";
import { longRide } from "../fixtures/workouts.ts";
import { each, gather } from "../pages/rider.ts";
import { TunnelPage } from "../pages/tunnel_page.ts";

test.use({
  // Servers of other tests run beside this one. A scan with axe stops its page for some seconds.
  settings: { GRUPPETTO_TUNNEL_ADDR: "127.0.0.1:0", GRUPPETTO_RIDER_SILENCE_MS: "0" },
});

test("riders open a page that is shared in the ride, in the lobby and while they ride, until the host removes it", async ({ newRider, server, site }) => {
  test.slow();
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  const list = (rider: typeof ana) => rider.page.getByRole("region", { name: "Shared pages" });
  await each([ana, ben], (rider) => expect(list(rider)).toBeHidden());
  const ride = `${server.origin}${new URL(ana.page.url()).pathname}`;
  const peer = await TunnelPeer.start(site.origin, ride);

  await test.step("all list it, and nobody sees a further rider", async () => {
    await each([ana, ben], async (rider) => {
      await expect(list(rider).getByText("Route videos")).toBeVisible();
      await expect(rider.page.locator("article[data-peer]")).toHaveCount(2);
    });
    await expect(list(ben).getByRole("button", { name: "Remove Route videos" })).toBeHidden();
    await expectAccessible(ana.page, "lobby with a shared page");
  });

  await test.step("it opens in a tab of its own", async () => {
    const opened = ben.page.waitForEvent("popup");
    await list(ben).getByRole("link", { name: "Open Route videos" }).click();
    const tab = new TunnelPage(await opened);
    await expect(tab.heading).toHaveText("Route videos", { timeout: 20_000 });
    await tab.expectWay("direct");
    await tab.page.close();
  });

  await test.step("it is listed during the ride, below the own numbers", async () => {
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    await each([ana, ben], ({ ride }) => ride.expectRiding());
    await each([ana, ben], (rider) => expect(list(rider)).toBeVisible());
    for (const [width, height] of [[1440, 900], [1280, 720], [1024, 768], [390, 844], [320, 568]] as const) {
      await ben.page.setViewportSize({ width, height });
      for (const metric of ["power", "target", "interval-remaining"] as const) await expect(ben.ride.metric(metric)).toBeInViewport();
      const link = list(ben).getByRole("link", { name: "Open Route videos" });
      await link.scrollIntoViewIfNeeded();
      await link.click({ trial: true });
      await ben.page.evaluate(() => window.scrollTo(0, 0));
    }
    await ben.page.setViewportSize({ width: 1280, height: 720 });
    await expectAccessible(ana.page, "ride with a shared page");
  });

  await test.step("the host removes it, and the program ends", async () => {
    await list(ana).getByRole("button", { name: "Remove Route videos" }).click();
    await ana.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await each([ana, ben], (rider) => expect(list(rider)).toBeHidden());
    expect(await peer.ended()).toBe(0);
  });
});
