import { expect, test } from "../fixtures/test.ts";

test("name and FTP are restored after a reload", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.home.open();
  await expect(ana.home.rider.ftp).toHaveValue("200");
  await ana.home.rider.fill("Ana Ñandú", 287);
  await ana.home.rider.ftp.blur();
  await ana.page.reload();
  await expect(ana.home.rider.name).toHaveValue("Ana Ñandú");
  await expect(ana.home.rider.ftp).toHaveValue("287");
});

test("what the browser restores into the fields is taken over", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/status of 404/);
  const ana = await newRider("Ana", 200);
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  await ana.home.rider.name.fill("Ana");
  await ana.home.code.fill("brave-otter-0042");
  // The last field is not left, so that nothing has saved it.
  await ana.home.rider.ftp.fill("287");
  // Chromium under test restores fields on the way back, and not over a reload. The page in between is of the same
  // origin: another process may take over before it knows what was typed.
  await ana.page.goto("/workouts");
  await ana.page.goBack();
  await expect(ana.home.start).toBeEnabled();
  await expect(ana.home.code).toHaveValue("brave-otter-0042");
  await expect(ana.home.rider.name).toHaveValue("Ana");
  await expect(ana.home.rider.ftp).toHaveValue("287");
  await ana.home.join.click();
  await expect(ana.page.getByText("There is no ride with this code.")).toBeVisible();
});

test("the icons that browsers and phones ask for have the types and sizes that they are announced with", async ({ newRider }) => {
  const { page, home } = await newRider("Ana", 200);
  await home.open();
  const announced = await page.evaluate(async () => {
    const manifest = await (await fetch(document.querySelector<HTMLLinkElement>('link[rel="manifest"]')!.href)).json();
    const links = [...document.querySelectorAll<HTMLLinkElement>('link[rel="icon"], link[rel="apple-touch-icon"]')]
      .map((link) => ({ src: link.getAttribute("href")!, sizes: link.rel === "icon" ? link.getAttribute("sizes") ?? "any" : "180x180", purpose: link.rel }));
    return [...links, ...manifest.icons] as { src: string; sizes: string; purpose: string }[];
  });
  const kinds = announced.map(({ src, sizes, purpose }) => `${src} ${sizes} ${purpose}`);
  expect(kinds).toEqual(expect.arrayContaining([
    "/favicon.ico 32x32 icon", "/apple-touch-icon.png 180x180 apple-touch-icon",
    "/icon-192.png 192x192 any", "/icon-512.png 512x512 any", "/icon-maskable-512.png 512x512 maskable",
  ]));
  for (const { src, sizes } of announced) {
    const response = await page.request.get(src);
    expect(response.status(), src).toBe(200);
    expect(response.headers()["content-type"], src).toMatch(/^image\//);
    if (sizes === "any") continue;
    const drawn = await page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, src);
    expect(drawn, src).toBe(sizes);
  }
});

// A tap before hydration would be lost. Only text fields can be used at once: what is typed into them is kept.
for (const [address, usable] of [["/", ["rider-name", "rider-ftp", "session-code"]], ["/ride/brave-otter-0042", ["rider-name", "rider-ftp"]], ["/solo", []]] as const) {
  test(`controls of ${address} that would lose a tap are disabled before hydration`, async ({ browser, baseURL }) => {
    const context = await browser.newContext({ baseURL, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(address);
    const controls = page.locator("button, input, select, textarea");
    const enabled = await controls.evaluateAll((all) => all.filter((control) => !control.hasAttribute("disabled")).map(({ id }) => id));
    expect(enabled).toEqual(usable);
    if (address === "/") expect(await controls.count()).toBe(6);
    await context.close();
  });
}

test("a simulated ride needs no network after the page has loaded", async ({ newRider, browserErrors }) => {
  // The browser itself asks for the icon once the page makes a sound.
  browserErrors.allow(/ERR_INTERNET_DISCONNECTED.*favicon/);
  const ana = await newRider("Ana", 240);
  await ana.home.open();
  // The parts of the app for rides are fetched once the rider uses the page.
  const lastPart = ana.page.waitForResponse(/\/pkg\/later\./);
  await ana.home.rider.fill("Ana", 240);
  await expect(ana.home.solo).toBeEnabled();
  await (await lastPart).finished();
  await ana.context.setOffline(true);

  await ana.home.solo.click();
  await ana.ride.choose.click();
  await ana.ride.chooser.getByRole("listitem").first().getByRole("button").click();
  await ana.ride.start.click();
  await expect(ana.ride.countdown).toBeVisible();
  await ana.ride.expectRiding();
  await expect(ana.ride.metric("power")).toHaveText(/^[1-9]/);
  await expect(ana.ride.metric("target")).toHaveText(/^[1-9]/);
  await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
});

test("an unknown address has status 404 and a link to the home page", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/status of 404.*\/nowhere/);
  const ana = await newRider("Ana", 200);
  const response = await ana.page.goto("/nowhere");
  expect(response?.status()).toBe(404);
  await ana.page.getByRole("link", { name: "Go home" }).click();
  await expect(ana.home.start).toBeEnabled();
});
