import { expect, test } from "../fixtures/test.ts";
import { expectFieldError } from "../pages/rider_form.ts";

test("an unknown code gets an error message, with buttons to start a ride or go home", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/status of 404.*\/api\/rides\/brave-otter-0042/);
  const ana = await newRider("Ana", 200);
  await ana.page.goto("/ride/brave-otter-0042");
  await expect(ana.page.getByRole("alert")).toContainText("no ride with this code");

  await ana.page.getByRole("button", { name: "Go home" }).click();
  await ana.home.rider.fill("Ana", 200);
  await ana.home.code.fill("brave-otter-0042");
  await ana.home.join.click();
  await expect(ana.page.getByRole("alert")).toContainText("no ride with this code");
  await ana.page.getByRole("button", { name: "Start a group ride" }).click();
  await ana.expectLobby();
});

test("an invalid code gets an error message, in the address and in the field of the home page", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.page.goto("/ride/nonsense");
  await expect(ana.page.getByRole("alert")).toContainText("no session code");
  await expect(ana.page.getByRole("button", { name: "Start a group ride" })).toBeVisible();

  await ana.home.open();
  for (const { code, message } of [
    { code: "", message: /session code/ },
    { code: "nonsense", message: /not a session code/ },
    { code: "a".repeat(5_000), message: /not a session code/ },
    { code: "<b>brave</b>-otter-0042", message: /not a session code/ },
  ]) {
    await ana.home.code.fill(code);
    await ana.home.join.click();
    await expectFieldError(ana.page, ana.home.code, message);
  }
});

test("a code is accepted with capitals and spaces, in the address and on the home page", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await ana.startRide();
  const code = await ana.ride.code.innerText();
  const variant = code.toUpperCase().replaceAll("-", " ");

  await ben.acceptInvitation(`/ride/${encodeURIComponent(variant)}`);
  await ben.expectLobby();
  expect(ben.page.url()).toBe(ana.page.url());

  await cem.home.open();
  await cem.home.rider.fill("Cem", 320);
  await cem.home.code.fill(`  ${variant} `);
  await cem.home.join.click();
  await cem.expectLobby();
  expect(cem.page.url()).toBe(ana.page.url());
});

test("a rider who enters a code but no name is asked for the name on the page of the ride", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.home.open();
  await ben.home.code.fill(await ana.ride.code.innerText());
  await ben.home.join.click();
  await ben.ride.riderForm.fill("Ben", 250);
  await ben.ride.join.click();
  await ben.expectLobby();
});
