import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, rideTogether } from "../pages/rider.ts";

test("the host pauses, resumes and ends the ride for all riders", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(longRide, ana, ben);
  await expect(ben.ride.pause).toBeHidden();
  await expect(ben.ride.end).toBeHidden();

  const stopped = await test.step("the clock stops for both riders at the same second", async () => {
    await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[3-9]/);
    await ana.ride.pause.click();
    await each(both, ({ ride }) => expect(ride.myRide.getByText("Paused", { exact: true })).toBeVisible());
    const [first, second] = await each(both, (rider) => rider.ride.elapsed());
    expect(first).toBe(second);
    await each(both, async ({ ride }) => {
      for (let times = 0; times < 3; times += 1) await expectToChange(ride.metric("power"));
    });
    expect(await each(both, (rider) => rider.ride.elapsed())).toEqual([first, first]);
    return first;
  });

  await test.step("both riders continue from there", async () => {
    await expect(ben.ride.resume).toBeHidden();
    await ana.ride.resume.click();
    for (const second of [stopped! + 1, stopped! + 2]) {
      await each(both, (rider) => expect.poll(() => rider.ride.elapsed(), { intervals: [100] }).toBe(second));
    }
    await expect(ana.ride.pause).toBeEnabled();
  });

  await test.step("ending asks for confirmation and can be cancelled", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "Keep riding" }).click();
    await expect(ana.ride.confirm).toBeHidden();
    await expectToChange(ben.ride.metric("elapsed"));
  });

  await test.step("the ride ends for both riders", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await each(both, ({ ride }) => expect(ride.summary).toBeVisible());
    await each(both, ({ ride }) => expect(ride.figure("Duration")).toHaveText(/^0:\d\d$/));
    await each(both, ({ ride }) => expect(ride.download).toBeEnabled());
  });
});

test("the host can choose from at least three built-in workouts, and a later choice replaces the first", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ana.ride.share(longRide);
  await expect(ben.ride.heading("Long Ride")).toBeVisible();

  await ana.ride.choose.click();
  const builtIn = ana.ride.chooser.getByRole("list").getByRole("listitem");
  expect(await builtIn.count()).toBeGreaterThanOrEqual(3);
  const name = await builtIn.nth(1).getByRole("heading").innerText();
  await builtIn.nth(1).getByRole("button").click();
  await expect(ana.ride.chooser).toBeHidden();
  await expect(ben.ride.heading(name)).toBeVisible();
  await expect(ben.ride.heading("Long Ride")).toBeHidden();
});

test("a workout file can be dropped into the dialog", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  await ana.ride.choose.click();
  const dropped = await ana.page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "long.zwo", { type: "application/xml" }));
    return data;
  }, longRide.buffer.toString());
  const place = ana.ride.chooser.getByText("Drop a file here");
  await place.dispatchEvent("dragover", { dataTransfer: dropped });
  await place.dispatchEvent("drop", { dataTransfer: dropped });
  await expect(ana.ride.chooser).toBeHidden();
  await expect(ana.ride.heading("Long Ride")).toBeVisible();
});
