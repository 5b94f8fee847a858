import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, rideTogether } from "../pages/rider.ts";

test("when the host pauses, goes on and ends the ride, everybody does", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(longRide, ana, ben);
  await expect(ben.ride.pause).toBeHidden();
  await expect(ben.ride.end).toBeHidden();

  const stopped = await test.step("the clock stands still for both, at the same second", async () => {
    await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[3-9]/);
    await ana.ride.pause.click();
    await each(both, ({ ride }) => expect(ride.mine.getByText("Paused", { exact: true })).toBeVisible());
    const [first, second] = await each(both, (rider) => rider.ride.elapsed());
    expect(first).toBe(second);
    await each(both, async ({ ride }) => {
      for (let times = 0; times < 3; times += 1) await expectToChange(ride.metric("power"));
    });
    expect(await each(both, (rider) => rider.ride.elapsed())).toEqual([first, first]);
    return first;
  });

  await test.step("both ride on from there", async () => {
    await expect(ben.ride.resume).toBeHidden();
    await ana.ride.resume.click();
    for (const second of [stopped! + 1, stopped! + 2]) {
      await each(both, (rider) => expect.poll(() => rider.ride.elapsed(), { intervals: [100] }).toBe(second));
    }
    await expect(ana.ride.pause).toBeEnabled();
  });

  await test.step("the end asks first, and can be declined", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "Keep riding" }).click();
    await expect(ana.ride.confirm).toBeHidden();
    await expectToChange(ben.ride.metric("elapsed"));
  });

  await test.step("the end is the end for both", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await each(both, ({ ride }) => expect(ride.summary).toBeVisible());
    await each(both, ({ ride }) => expect(ride.figure("Duration")).toHaveText(/^0:\d\d$/));
    await each(both, ({ ride }) => expect(ride.download).toBeEnabled());
  });
});

test("the host chooses among at least three built-in workouts, and a later choice replaces the first", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await ana.startsRide();
  await ben.accepts(ana.invitation);
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

test("a workout file can be dropped into the dialog", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await ana.startsRide();
  await ana.ride.choose.click();
  const dropped = await ana.page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "long.zwo", { type: "application/xml" }));
    return data;
  }, longRide.buffer.toString());
  const place = ana.ride.chooser.getByText("Drop a .zwo file here");
  await place.dispatchEvent("dragover", { dataTransfer: dropped });
  await place.dispatchEvent("drop", { dataTransfer: dropped });
  await expect(ana.ride.chooser).toBeHidden();
  await expect(ana.ride.heading("Long Ride")).toBeVisible();
});
