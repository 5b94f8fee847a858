import { expect, test } from "../fixtures/test.ts";
import { expectFault } from "../pages/form.ts";

test("a code without a ride says so, and offers to start one or go home", async ({ enter, faults }) => {
  faults.expect(/status of 404.*\/api\/rides\/brave-otter-0042/);
  const ana = await enter("Ana", 200);
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

test("an address without a code says so, and so does the field on the first page", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await ana.page.goto("/ride/nonsense");
  await expect(ana.page.getByRole("alert")).toContainText("no session code");
  await expect(ana.page.getByRole("button", { name: "Start a group ride" })).toBeVisible();

  await ana.home.open();
  for (const { typed, sentence } of [
    { typed: "", sentence: /session code/ },
    { typed: "nonsense", sentence: /not a session code/ },
    { typed: "a".repeat(5_000), sentence: /not a session code/ },
    { typed: "<b>brave</b>-otter-0042", sentence: /not a session code/ },
  ]) {
    await ana.home.code.fill(typed);
    await ana.home.join.click();
    await expectFault(ana.page, ana.home.code, sentence);
  }
});

test("a code may be typed in capitals and with spaces, in the address and on the first page", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await ana.startsRide();
  const code = await ana.ride.code.innerText();
  const loose = code.toUpperCase().replaceAll("-", " ");

  await ben.accepts(`/ride/${encodeURIComponent(loose)}`);
  await ben.expectLobby();
  expect(ben.page.url()).toBe(ana.page.url());

  await cem.home.open();
  await cem.home.rider.fill("Cem", 320);
  await cem.home.code.fill(`  ${loose} `);
  await cem.home.join.click();
  await cem.expectLobby();
  expect(cem.page.url()).toBe(ana.page.url());
});

test("who types a code without a name is asked for it by the ride", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await ana.startsRide();
  await ben.home.open();
  await ben.home.code.fill(await ana.ride.code.innerText());
  await ben.home.join.click();
  await ben.ride.introduce.fill("Ben", 250);
  await ben.ride.join.click();
  await ben.expectLobby();
});
