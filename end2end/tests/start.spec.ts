import { expect, test } from "../fixtures/test.ts";

const pages = ["/", "/ride/brave-otter-0042", "/solo"];

for (const address of pages) {
  test(`without JavaScript ${address} says what is needed`, async ({ browser, baseURL }) => {
    const context = await browser.newContext({ baseURL, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(address);
    await expect(page.getByRole("status").getByText("Gruppetto needs JavaScript.")).toBeInViewport();
    await expect(page.getByText("Looking for the ride")).toBeHidden();
    await context.close();
  });
}

test("a page whose own script is blocked says what is needed", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/Content Security Policy/);
  const ana = await newRider("Ana", 200);
  await ana.page.route("/", async (route) => {
    const response = await route.fetch();
    const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": "script-src 'none'" };
    await route.fulfill({ response, headers });
  });
  await ana.home.open();
  await expect(ana.page.getByText("Gruppetto needs JavaScript.")).toBeInViewport();
});

for (const [what, files] of [["script", "gruppetto.*.js"], ["module", "gruppetto.*.wasm"]] as const) {
  test(`a ${what} that cannot be fetched is reported with a way to try again`, async ({ newRider, browserErrors }) => {
    browserErrors.allow(/ERR_FAILED|Failed to fetch|TypeError/);
    const ana = await newRider("Ana", 200);
    await ana.page.route(`**/pkg/${files}`, (route) => route.abort());
    await ana.page.goto("/solo");
    await expect(ana.page.getByText("Gruppetto could not be loaded.")).toBeInViewport();
    await expect(ana.page.getByText("Looking for the ride")).toBeHidden();

    await ana.page.unroute(`**/pkg/${files}`);
    await ana.page.getByRole("button", { name: "Try again" }).click();
    await expect(ana.ride.choose).toBeVisible();
    await expect(ana.page.getByText("could not be loaded")).toBeHidden();
  });
}

test("a module whose first fetch fails is fetched again, and the app starts", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/ERR_FAILED|Failed to fetch/);
  const ana = await newRider("Ana", 200);
  let fetches = 0;
  await ana.page.route("**/pkg/gruppetto.*.wasm", (route) => (fetches++ === 0 ? route.abort() : route.continue()));
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  expect(fetches).toBe(2);
});

test("a slow download is shown, then offers to try again, and the notice goes when the app starts", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.page.clock.install();
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await ana.page.route("**/pkg/gruppetto.*.wasm", async (route) => {
    await released;
    await route.continue();
  });
  await ana.page.goto("/", { waitUntil: "commit" });
  await expect(ana.home.start).toBeDisabled();
  const notice = ana.page.locator(".start-notice");
  await ana.page.clock.runFor(2_000);
  await expect(notice).toHaveText(/Loading Gruppetto/, { useInnerText: true });
  await ana.page.clock.runFor(19_000);
  await expect(notice).toHaveText(/takes longer than usual/, { useInnerText: true });
  await expect(notice.getByRole("button", { name: "Try again" })).toBeVisible();

  release();
  await expect(ana.home.start).toBeEnabled();
  await expect(notice).toBeHidden();
});

test("a browser without WebAssembly is told so", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/WebAssembly/);
  const ana = await newRider("Ana", 200, { before: () => void Reflect.deleteProperty(window, "WebAssembly") });
  await ana.home.open();
  await expect(ana.page.getByText(/could not be loaded.*WebAssembly/)).toBeInViewport();
});

test("every module is asked for once, by no hint that some browsers do not follow", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const asked: string[] = [];
  ana.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await ana.page.goto("/solo");
  await expect(ana.ride.choose).toBeVisible();
  await ana.page.waitForLoadState("networkidle");
  // WebKit fetches a module a second time after a preload with as="fetch".
  const html = await (await ana.page.request.get("/solo")).text();
  expect(html).not.toMatch(/rel="?preload/);
  const modules = asked.filter((path) => path.endsWith(".wasm"));
  expect(modules.length).toBeGreaterThan(1);
  expect(new Set(modules).size).toBe(modules.length);
});
