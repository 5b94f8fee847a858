import type { Page } from "@playwright/test";
import { expectAccessible } from "../fixtures/accessibility.ts";
import { faces } from "../fixtures/faces.ts";
import { sidewaysProblems } from "../fixtures/layout.ts";
import { expect, test } from "../fixtures/test.ts";
import { DesignerPage } from "../pages/designer_page.ts";
import { WorkoutsPage } from "../pages/workouts_page.ts";
import { each } from "../pages/rider.ts";

const blocks = (page: Page) => new DesignerPage(page).blocks;
const kinds = (page: Page) => new DesignerPage(page).kinds();
const button = (page: Page, name: string) => new DesignerPage(page).button(name);

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const isThere = () =>
    page.evaluate((name) => {
      const focused = document.activeElement;
      const label = focused?.id ? document.querySelector(`label[for="${focused.id}"]`) : null;
      return (label ?? focused)?.textContent?.trim() === name;
    }, name);
  for (let presses = 0; presses < 80; presses++) {
    if (await isThere()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never leads to ${name}`);
}

test("a workout that is designed by keyboard alone is ridden by two riders, with bias and cue", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 200)];
  const { page } = ana;
  const { keyboard } = page;
  await page.goto("/workouts/new");
  await expect(button(page, "Tempo")).toBeVisible();
  await tabTo(page, "Name");
  await keyboard.type("Typed");
  await tabTo(page, "Tempo");
  await keyboard.press("Enter");
  await tabTo(page, "Repeat");
  await keyboard.press("Enter");
  await expect.poll(() => kinds(page)).toEqual(["Steady", "Effort", "Recover"]);
  await expect(page).toHaveURL(/\/workouts\/\d+$/);
  await expect(page.locator(".workout-duration")).toHaveText("39:00");

  await tabTo(page, "Duration");
  await keyboard.press("Control+A");
  await keyboard.type("10:00");
  await tabTo(page, "Power in % of FTP");
  await keyboard.press("Control+A");
  await keyboard.type("80");
  await tabTo(page, "Cue");
  await keyboard.type("Hold it");
  await tabTo(page, "Later");
  await keyboard.press("Enter");
  await expect.poll(() => kinds(page)).toEqual(["Effort", "Recover", "Steady"]);
  await keyboard.press("Control+z");
  await expect.poll(() => kinds(page)).toEqual(["Steady", "Effort", "Recover"]);
  await expect(page.locator(".workout-duration")).toHaveText("34:00");

  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  await each([ana, ben], (rider) => rider.useSimulatedTrainer());
  await ana.ride.choose.click();
  await ana.ride.chooser.getByRole("button", { name: "Ride Typed" }).click();
  await ana.ride.start.click();
  await each([ana, ben], (rider) => rider.ride.expectRiding());
  await expect(ana.ride.metric("target")).toHaveText("160");
  await expect(ben.ride.myRide.getByRole("status", { name: "Cue" })).toHaveText("Hold it");
  await button(ben.page, "Lower my targets").click();
  await expect(ben.ride.metric("target")).toHaveText("152");
  await expect(ana.ride.metric("target")).toHaveText("160");
});

test("a workout is designed by touch on a phone, and everything is undone and redone", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const { page } = ana;
  const workouts = new WorkoutsPage(page);
  await workouts.open();
  await page.getByRole("link", { name: "New workout" }).tap();
  for (const kind of ["Warm-up", "VO2max", "Cool-down", "Free ride"]) await button(page, kind).tap();
  await expect.poll(() => kinds(page)).toEqual(["Warm-up", "Steady", "Cool-down", "Free ride"]);
  await button(page, "Duplicate").nth(1).tap();
  await button(page, "Delete").nth(4).tap();
  await button(page, "Earlier").nth(3).tap();
  await page.getByLabel("From % of FTP").first().fill("50");
  await page.getByLabel("Cadence in rpm").nth(1).fill("95");
  await page.getByLabel("Name", { exact: true }).fill("Tapped");
  await page.getByLabel("Name", { exact: true }).blur();
  const designed = await kinds(page);
  expect(designed).toEqual(["Warm-up", "Steady", "Cool-down", "Steady"]);
  await expect(page.locator(".workout-duration")).toHaveText("26:00");

  let undone = 0;
  for (; await button(page, "Undo").isEnabled(); undone++) await button(page, "Undo").tap();
  expect(undone).toBe(10);
  await expect(blocks(page)).toHaveCount(0);
  await expect(page.getByText("Add the first block.")).toBeVisible();
  for (let redone = 0; redone < undone; redone++) await button(page, "Redo").tap();
  await expect(button(page, "Redo")).toBeDisabled();
  expect(await kinds(page)).toEqual(designed);
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Tapped");

  await page.reload();
  await expect.poll(() => kinds(page)).toEqual(designed);
  await expect(page.getByLabel("From % of FTP").first()).toHaveValue("50");
  await workouts.open();
  await expect.poll(() => workouts.own()).toEqual(["Tapped"]);
});

test("a copy of a built-in workout is edited, and its repeated sets are blocks", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const { page } = ana;
  const workouts = new WorkoutsPage(page);
  await workouts.open();
  await workouts.card("One-minute hills").getByRole("button", { name: "Edit a copy One-minute hills" }).click();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("One-minute hills");
  await page.getByLabel("Name", { exact: true }).fill("My hills");
  await page.getByLabel("Duration").first().fill("nonsense");
  await page.getByLabel("Duration").first().blur();
  await expect(page.getByLabel("Duration").first()).toHaveValue("10:00");
  await expect(page.getByLabel("Times").first()).toBeVisible();
  await workouts.open();
  await expect.poll(() => workouts.own()).toEqual(["My hills"]);
  await expect(workouts.card("One-minute hills")).toBeVisible();
  await page.goto("/workouts/12345");
  await expect(page.getByRole("alert")).toHaveText(/no workout with this address/);
});

test("a change that makes no workout is not saved, and says so", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const { page } = ana;
  await page.goto("/workouts/new");
  await button(page, "Tempo").click();
  await expect(page.getByText("Saved in this browser.")).toBeVisible();
  await button(page, "Delete").click();
  await expect(page.getByText("This change is not saved")).toBeVisible();
  await expect(page.getByText("Saved in this browser.")).toBeHidden();
  await page.reload();
  await expect.poll(() => kinds(page)).toEqual(["Steady"]);
});

test("a browser whose database never answers lets a rider design, and says that nothing is stored", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: () => { indexedDB.open = () => new EventTarget() as IDBOpenDBRequest; } });
  const { page } = ana;
  await page.goto("/workouts/new");
  await button(page, "Tempo").click();
  await expect.poll(() => kinds(page)).toEqual(["Steady"]);
  await expect(page.getByRole("alert")).toHaveText(/does not store your workouts/);
});

test("the designer is accessible, and runs off no phone", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const { page } = ana;
  await page.goto("/workouts/new");
  for (const kind of ["Warm-up", "Repeat", "Free ride"]) await button(page, kind).click();
  await expect(blocks(page)).toHaveCount(3);
  await expectAccessible(page, "designer");
  await page.setViewportSize({ width: 320, height: 568 });
  const problems = await sidewaysProblems(page, faces.flatMap((face) => [100, 200].map((textPercent) => ({ face, textPercent }))));
  expect(problems.join("\n")).toBe("");
});
