import { SiteWithSubPath } from "../fixtures/sub_path.ts";
import { expect, test } from "../fixtures/test.ts";

const proxies = [
  { proxy: "a proxy that removes the path", keepPath: false },
  { proxy: "a proxy that keeps the path", keepPath: true },
];

for (const { proxy, keepPath } of proxies) {
  test(`a page below a path of another site says that Gruppetto needs a host name of its own, behind ${proxy}`, async ({ newRider, server, browserErrors }) => {
    // The files of the page are looked for on the other site.
    browserErrors.allow(/./);
    const site = await SiteWithSubPath.start(server.origin, { keepPath });
    const ana = await newRider("Ana", 200);
    for (const path of ["/g/", "/g/solo", "/g/ride/brave-otter-4821"]) {
      await test.step(path, async () => {
        await ana.page.goto(site.origin + path);
        await expect(ana.page.getByRole("heading", { name: "Gruppetto needs a host name of its own" })).toBeVisible();
        await expect(ana.page.getByRole("alert")).toContainText("an address without a path");
        await expect(ana.page.getByRole("button")).toHaveCount(0);
      });
    }
    await site.stop();
  });
}

test("a page at its own address, known or unknown, says nothing about host names", async ({ newRider, server, browserErrors }) => {
  browserErrors.allow(/404/);
  const ana = await newRider("Ana", 200);
  for (const path of ["/", "/?from=club", "/solo", "/nothing/here"]) {
    await ana.page.goto(server.origin + path);
    await expect(ana.page.locator("main")).toBeVisible();
    await ana.page.waitForLoadState("networkidle");
    await expect(ana.page.getByText("needs a host name")).toHaveCount(0);
  }
});
