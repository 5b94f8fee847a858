import { invalidFiles, untidyFile } from "../fixtures/invalid_files.ts";
import { expect, test } from "../fixtures/test.ts";
import { file, longRide, zwo } from "../fixtures/workouts.ts";
import { expectFieldError } from "../pages/rider_form.ts";

test("an invalid workout file is rejected with an error message, and the shared workout stays", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ana.ride.share(longRide);
  await ana.ride.choose.click();

  for (const { name, payload, message } of invalidFiles) {
    await test.step(name, async () => {
      await ana.ride.workoutFile.setInputFiles(payload);
      await expectFieldError(ana.page, ana.ride.workoutFile, message);
      await expect(ana.ride.chooser).toBeVisible();
      await ana.ride.chooser.getByRole("button", { name: "Close" }).click();
      await expect(ana.ride.heading("Long Ride")).toBeVisible();
      await ana.ride.choose.click();
    });
  }
  await ana.ride.workoutFile.setInputFiles(zwo("Better Now", `<SteadyState Duration="60" Power="0.6"/>`));
  await expect(ana.ride.chooser).toBeHidden();
  await expect(ben.ride.heading("Better Now")).toBeVisible();
  await expect(ana.page.getByRole("alert")).toBeHidden();
});

test("a workout file with errors is shown with its remarks, and shared when the host uses it", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ana.ride.choose.click();
  await ana.ride.workoutFile.setInputFiles(untidyFile);

  const offer = ana.ride.chooser.getByRole("status").filter({ hasText: "Remarks on this file" });
  await expect(offer.getByRole("heading", { name: "Côte & Col" })).toBeVisible();
  await expect(offer.getByRole("listitem")).toHaveText([
    /^Line 2, column \d+: .*Windows-1252/,
    /^Line 2, column \d+: .*& is not written/,
    /^Line 3, column \d+: .*running/,
    /^Line 6, column \d+: .*Cadence is "fast"/,
    /^Line 7, column \d+, and 1 more: gameplayevent/,
    /^Line 8, column \d+: .*PowerHigh is 6, which is 600 % of FTP.*500 %/,
    /^Line 9, column \d+: .*ends too early/,
  ]);
  const use = offer.getByRole("button", { name: "Use this workout" });
  expect((await use.boundingBox())?.height).toBeGreaterThanOrEqual(48);
  await expect(ben.ride.heading("Côte & Col")).toBeHidden();

  await offer.getByRole("button", { name: "Choose another" }).click();
  await expect(use).toBeHidden();
  await ana.ride.workoutFile.setInputFiles(untidyFile);
  await use.click();
  await expect(ana.ride.chooser).toBeHidden();
  for (const rider of [ana, ben]) await expect(rider.ride.heading("Côte & Col")).toBeVisible();
  await expect(ben.page.getByText("Remarks on this file")).toBeHidden();
});

test("a workout file without an ending and of an unknown type, as phones give it, is shared under its name", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  await ana.ride.choose.click();
  // A filter would hide such files on phones.
  await expect(ana.ride.workoutFile).not.toHaveAttribute("accept");
  const content = "<workout_file><workout><SteadyState Duration='60' Power='0.6'/></workout></workout_file>";
  await ana.ride.workoutFile.setInputFiles(file("Monday ride", content, "application/octet-stream"));
  await expect(ana.ride.chooser).toBeHidden();
  await expect(ana.ride.heading("Monday ride")).toBeVisible();
});

test("texts of a workout file are shown as text and never executed as HTML", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  await ana.ride.share(zwo(
    "&lt;img src=x onerror=&quot;window.hacked=1&quot;&gt;",
    `<SteadyState Duration="60" Power="0.6"><textevent timeoffset="1" message="&lt;script&gt;window.hacked=1&lt;/script&gt;"/></SteadyState>`,
  ));
  await expect(ana.page.getByRole("heading", { name: `<img src=x onerror="window.hacked=1">` })).toBeVisible();
  expect(await ana.page.evaluate(() => "hacked" in window)).toBe(false);
});

const invalidNames = [
  { problem: "an empty name", name: "   ", message: /name/i },
  { problem: "a name of 200 characters", name: "a".repeat(200), message: /40 characters/ },
  { problem: "a name with markup", name: `<img src=x onerror="window.hacked=1">`, message: /< or >/ },
  { problem: "a name with a text direction override", name: "Ana\u202Eneb", message: /invisible/ },
];

const invalidFtps = ["", "0", "49", "601", "1e9", "200.5", "-200"];

for (const place of ["the home page", "an invitation"]) {
  test(`an invalid name or FTP on ${place} gets an error message at its field, and the other field stays`, async ({ newRider }) => {
    const ana = await newRider("Ana", 200);
    const atHome = place === "the home page";
    if (atHome) {
      await ana.home.open();
    } else {
      const host = await newRider("Ben", 250);
      await host.startRide();
      await ana.page.goto(host.invitation);
    }
    const form = atHome ? ana.home.rider : ana.ride.riderForm;
    const submit = atHome ? ana.home.start : ana.ride.join;

    for (const { problem, name, message } of invalidNames) {
      await test.step(problem, async () => {
        await form.fill(name, 234);
        await submit.click();
        await expectFieldError(ana.page, form.name, message);
        await expect(form.name).toHaveValue(name);
        await expect(form.ftp).toHaveValue("234");
      });
    }
    for (const ftp of invalidFtps) {
      await test.step(`an FTP of "${ftp}"`, async () => {
        await form.fill("Ana", ftp);
        await submit.click();
        await expectFieldError(ana.page, form.ftp, /50 to 600/);
        await expect(form.name).toHaveValue("Ana");
      });
    }
    expect(await ana.page.evaluate(() => "hacked" in window)).toBe(false);

    await form.fill("Ana", 234);
    await expect(ana.page.getByRole("alert")).toBeHidden();
    await submit.click();
    await ana.expectLobby();
  });
}
