import { dragWithFinger, dragWithMouse, type Drag } from "../fixtures/drag.ts";
import { expect, test } from "../fixtures/test.ts";
import { DesignerPage } from "../pages/designer_page.ts";
import { each } from "../pages/rider.ts";

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const ways: [string, Drag, object][] = [
  ["a mouse", dragWithMouse, {}],
  ["a finger on a phone", dragWithFinger, phone],
];

for (const [name, drag, options] of ways) {
  test(`the edges of an interval are dragged in the picture with ${name}, and undone at once`, async ({ newRider }) => {
    const { page } = await newRider("Ana", 200, options);
    const designer = new DesignerPage(page);
    await designer.open("Tempo");
    const [duration, power] = [page.getByLabel("Duration"), page.getByLabel("Power in % of FTP")];
    // The first tap selects the interval.
    const middle = await designer.at({ share: 0.5, percent: 40 }, 83);
    await page.mouse.click(middle.x, middle.y);
    await expect(page.getByText("Steady · 15:00 · 83 %")).toBeVisible();

    await drag(page, await designer.at({ share: 0.995, percent: 40 }, 83), await designer.at({ share: 0.66, percent: 40 }, 83));
    await expect(duration).toHaveValue("10:00");
    await expect(designer.duration).toHaveText("10:00");
    await drag(page, await designer.at({ share: 0.5, percent: 83 }, 83), await designer.at({ share: 0.5, percent: 95 }, 83));
    await expect(power).toHaveValue("95");
    await expect(page.getByText("Steady · 10:00 · 95 %")).toBeVisible();

    await designer.button("Undo").click();
    await expect(power).toHaveValue("83");
    await expect(duration).toHaveValue("10:00");
    await designer.button("Undo").click();
    await expect(duration).toHaveValue("15:00");
    await designer.button("Redo").click();
    await page.reload();
    await expect(duration).toHaveValue("10:00");
  });

  test(`blocks are reordered by dragging with ${name}, and undone at once`, async ({ newRider }) => {
    const { page } = await newRider("Ana", 200, options);
    const designer = new DesignerPage(page);
    await designer.open("Free ride", "Tempo", "Cool-down");
    const grip = await designer.grip(0);
    const next = (await designer.blocks.nth(1).boundingBox())!;
    await drag(page, grip, { x: grip.x, y: next.y + next.height * 0.6 });
    await expect.poll(() => designer.kinds()).toEqual(["Steady", "Free ride", "Cool-down"]);
    await designer.button("Undo").click();
    await expect.poll(() => designer.kinds()).toEqual(["Free ride", "Steady", "Cool-down"]);
  });
}

test("the two ends of a ramp are dragged apart, and every round of a repeated set changes", async ({ newRider }) => {
  const { page } = await newRider("Ana", 200);
  const designer = new DesignerPage(page);
  await designer.open("Warm-up");
  await dragWithMouse(page, await designer.at({ share: 0.9, percent: 72 }, 75), await designer.at({ share: 0.9, percent: 92 }, 75));
  await expect(page.getByLabel("To % of FTP")).toHaveValue("95");
  await expect(page.getByLabel("From % of FTP")).toHaveValue("45");

  await designer.open("Repeat");
  // The effort of the second round, from 6:00 to 10:00 of 24:00.
  await dragWithMouse(page, await designer.at({ share: 8 / 24, percent: 100 }, 100), await designer.at({ share: 8 / 24, percent: 110 }, 100));
  await expect(page.getByLabel("Power in % of FTP").first()).toHaveValue("110");
  await dragWithMouse(page, await designer.at({ share: 10 / 24, percent: 20 }, 110), await designer.at({ share: 11 / 24, percent: 20 }, 110));
  await expect(page.getByLabel("Duration").first()).toHaveValue("5:00");
  await expect(designer.duration).toHaveText("28:00");
});

test("an interval that is dragged beyond the limit of a day comes back", async ({ newRider }) => {
  const { page } = await newRider("Ana", 200);
  const designer = new DesignerPage(page);
  await designer.open("Steady", "Tempo");
  for (const at of [0, 1]) {
    await page.getByLabel("Duration").nth(at).fill("10:00:00");
    await page.getByLabel("Duration").nth(at).blur();
  }
  await expect(designer.duration).toHaveText("20:00:00");
  const edge = await designer.at({ share: 0.5, percent: 20 }, 83);
  const far = await designer.at({ share: 0.95, percent: 20 }, 83);
  await page.mouse.move(edge.x - 2, edge.y);
  await page.mouse.down();
  await page.mouse.move(far.x, far.y, { steps: 4 });
  await expect(page.getByRole("alert")).toContainText("24 hours");
  await page.mouse.move(edge.x - 2 - (far.x - edge.x) / 9, edge.y, { steps: 4 });
  await expect(page.getByRole("alert")).toBeHidden();
  await page.mouse.up();
  // A ninth of nine hours less.
  await expect(page.getByLabel("Duration").first()).toHaveValue("9:00:00");
  await designer.button("Undo").click();
  await expect(page.getByLabel("Duration").first()).toHaveValue("10:00:00");
});

test("a workout that is designed by touch is shared into a ride and ridden by two, with cues at their time and another bias", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200, phone), await newRider("Ben", 200)];
  const { page } = ana;
  const designer = new DesignerPage(page);
  await page.goto("/workouts/new");
  await designer.button("Threshold").tap();
  await designer.name.fill("Tapped");
  await page.getByLabel("Kind").selectOption("Effort");
  await page.getByLabel("Label").fill("The hill");
  await page.getByLabel("Cue", { exact: true }).fill("Go");
  await designer.button("Add a cue").tap();
  await page.getByLabel("Shown after").fill("0:04");
  await page.getByLabel("Text").fill("Nearly there");
  await designer.share.tap();

  await expect(page.getByText("The workout of your next ride: Tapped")).toBeVisible();
  await ana.home.rider.fill("Ana", 200);
  await ana.home.start.tap();
  await ana.expectLobby();
  await expect(page.getByRole("heading", { name: "Tapped" })).toBeVisible();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  await each([ana, ben], (rider) => rider.useSimulatedTrainer());
  await ana.ride.start.tap();
  await each([ana, ben], (rider) => rider.ride.expectRiding());
  await expect(page.getByText("The hill").first()).toBeVisible();
  await each([ana, ben], (rider) => expect(rider.ride.myRide.getByRole("status", { name: "Cue" })).toHaveText("Nearly there"));
  await designer.button("Lower my targets").tap();
  await expect(ana.ride.metric("target")).toHaveText("190");
  await expect(ben.ride.metric("target")).toHaveText("200");
});

test("a design is shared into the ride that is open in another tab", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  await ana.ride.choose.click();
  const opened = ana.context.waitForEvent("page");
  await ana.ride.chooser.getByRole("link", { name: "Design a workout" }).click();
  const designer = new DesignerPage(await opened);
  await designer.button("VO2max").click();
  await designer.name.fill("From the other tab");
  await designer.share.click();
  const code = await ana.ride.code.innerText();
  await expect(designer.page.getByText(`Shared into the ride ${code.trim()}`)).toBeVisible();
  await expect(ana.page.getByRole("heading", { name: "From the other tab" })).toBeVisible();
  await expect(ana.ride.start).toBeEnabled();
  // A change after it is not shared, and no longer said to be.
  await designer.button("Tempo").click();
  await expect(designer.page.getByText("Shared into the ride")).toBeHidden();
});

test("a guest's tab does not take a design", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 200)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  const designer = new DesignerPage(await ben.context.newPage());
  await designer.open("Tempo");
  await designer.share.click();
  await expect(designer.page.getByText("The workout of your next ride:")).toBeVisible();
  await expect(ana.ride.start).toBeDisabled();
});
