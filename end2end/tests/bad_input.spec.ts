import { badFiles } from "../fixtures/bad_files.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide, zwo } from "../fixtures/workouts.ts";
import { expectFault } from "../pages/form.ts";

test("files that are no workouts are refused with a sentence, and the shared workout stays", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await ana.startsRide();
  await ben.accepts(ana.invitation);
  await ana.ride.share(longRide);
  await ana.ride.choose.click();

  for (const { what, payload, sentence } of badFiles) {
    await test.step(what, async () => {
      await ana.ride.workoutFile.setInputFiles(payload);
      await expectFault(ana.page, ana.ride.workoutFile, sentence);
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

test("what a workout file says is shown as text, never run", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await ana.startsRide();
  await ana.ride.share(zwo(
    "&lt;img src=x onerror=&quot;window.hacked=1&quot;&gt;",
    `<SteadyState Duration="60" Power="0.6"><textevent timeoffset="1" message="&lt;script&gt;window.hacked=1&lt;/script&gt;"/></SteadyState>`,
  ));
  await expect(ana.page.getByRole("heading", { name: `<img src=x onerror="window.hacked=1">` })).toBeVisible();
  expect(await ana.page.evaluate(() => "hacked" in window)).toBe(false);
});

const badNames = [
  { what: "no name", name: "   ", sentence: /name/i },
  { what: "a name of 200 characters", name: "a".repeat(200), sentence: /40 characters/ },
  { what: "a name of markup", name: `<img src=x onerror="window.hacked=1">`, sentence: /< or >/ },
  { what: "a name that turns the text around it", name: "Ana\u202Eneb", sentence: /invisible/ },
];

const badFtps = ["", "0", "49", "601", "1e9", "200.5", "-200"];

for (const door of ["the first page", "an invitation"]) {
  test(`a name or FTP that cannot be is refused beside its field on ${door}, and the other field kept`, async ({ enter }) => {
    const ana = await enter("Ana", 200);
    const atHome = door === "the first page";
    if (atHome) {
      await ana.home.open();
    } else {
      const host = await enter("Ben", 250);
      await host.startsRide();
      await ana.page.goto(host.invitation);
    }
    const form = atHome ? ana.home.rider : ana.ride.introduce;
    const submit = atHome ? ana.home.start : ana.ride.join;

    for (const { what, name, sentence } of badNames) {
      await test.step(what, async () => {
        await form.fill(name, 234);
        await submit.click();
        await expectFault(ana.page, form.name, sentence);
        await expect(form.name).toHaveValue(name);
        await expect(form.ftp).toHaveValue("234");
      });
    }
    for (const ftp of badFtps) {
      await test.step(`an FTP of "${ftp}"`, async () => {
        await form.fill("Ana", ftp);
        await submit.click();
        await expectFault(ana.page, form.ftp, /50 to 600/);
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
