import type { Page } from "@playwright/test";
import { expectFaces, faces } from "../fixtures/faces.ts";
import { layoutProblems, sidewaysProblems } from "../fixtures/layout.ts";
import { expect, test } from "../fixtures/test.ts";
import { zwo } from "../fixtures/workouts.ts";
import { rideTogether, type Rider } from "../pages/rider.ts";

/** From a small phone to a 4K screen, both ways up. */
const sizes = [
  [320, 568], [360, 640], [390, 844], [412, 915], [768, 1024], [820, 1180], [960, 540], [960, 720], [1024, 768], [1024, 1366],
  [1280, 720], [1366, 768], [1440, 900], [1920, 1080], [2560, 1440], [2160, 3840], [3840, 2160],
  [568, 320], [667, 375], [844, 390], [932, 430],
] as const;

/** The same at a zoom of 200 %, which halves the size of the page in CSS pixels. */
const zoomed = sizes.map(([width, height]) => [Math.round(width / 2), Math.round(height / 2)] as const);

/** Targets of four digits at an FTP of 600 W, and an interval of hours. */
const hard = zwo(
  "A Workout with a Name that is Longer than any Bar of any Telephone",
  `<SteadyState Duration="7200" Power="3.0"/>
        <SteadyState Duration="600" Power="0.5"/>
        <SteadyState Duration="3600" Power="2.0"/>`,
);

test("own power, target and countdown are visible at every size, in every face and with enlarged text", async ({ newRider }) => {
  test.slow();
  const names = ["Ana", "Ben", "Cem"].map((name) => `${name} ${"Wolfeschlegelsteinhausenbergerdorff-Wolfe".slice(0, 39 - name.length)}`);
  const [ana, ben, cem] = await Promise.all(names.map((name) => newRider(name, 600)));
  await rideTogether(hard, ana!, ben!, cem!);
  await expectFaces(ana!.page);
  await expect(ana!.ride.metric("power")).toHaveText(/^\d{4}$/);
  await expect(ana!.ride.metric("target")).toHaveText(/^\d{4}$/);

  await expectLayout(ana!, "the host");
  await expectLayout(ben!, "a rider");
});

test("no screen from the home page to the summary runs off a phone, in any face and with enlarged text", async ({ newRider }) => {
  const [ana, ben] = [await newRider(`Ana ${"Wolfeschlegelsteinhausenbergerdorff"}`, 600), await newRider("Ben", 250)];
  const { page, ride } = ana;
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  await expectOnScreen(page, "home page");
  await ana.startRide();
  await ben.page.goto(ana.invitation);
  await expect(ben.ride.join).toBeEnabled();
  await expectOnScreen(ben.page, "invitation");
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  await ana.useSimulatedTrainer();
  await ride.choose.click();
  await expect(ride.chooser.getByRole("listitem").first()).toBeVisible();
  await expectOnScreen(page, "chooser");
  await ride.workoutFile.setInputFiles(hard);
  await expect(ride.heading("A Workout with a Name that is Longer than any Bar of any Telephone")).toBeVisible();
  await expectOnScreen(page, "lobby");
  await ride.start.click();
  await expect(ride.countdown).toBeVisible();
  await expectOnScreen(page, "countdown");
  await ride.expectRiding();
  await expect(ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
  await ride.pause.click();
  await expect(ride.resume).toBeVisible();
  await expectOnScreen(page, "paused ride");
  await ride.end.click();
  await expectOnScreen(page, "confirmation before the end");
  await ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await expect(ride.summary).toBeVisible();
  await expectOnScreen(page, "summary");
});

/** Expects that nothing runs off the screen sideways on a small phone. */
async function expectOnScreen(page: Page, screen: string): Promise<void> {
  await test.step(screen, async () => {
    const before = page.viewportSize()!;
    await page.setViewportSize({ width: 320, height: 568 });
    const problems = await sidewaysProblems(page, faces.flatMap((face) => [100, 200].map((textPercent) => ({ face, textPercent }))));
    expect(problems.join("\n"), screen).toBe("");
    await page.setViewportSize(before);
  });
}

/** Expects no problem at any size, with text at 100 % and 200 %, and at a zoom of 200 %. */
async function expectLayout({ page }: Rider, whose: string): Promise<void> {
  await test.step(`page of ${whose}`, async () => {
    const problems: string[] = [];
    const collect = async (widths: readonly (readonly [number, number])[], texts: number[]) => {
      const variants = faces.flatMap((face) => texts.map((textPercent) => ({ face, textPercent })));
      for (const [width, height] of widths) {
        await page.setViewportSize({ width, height });
        const found = await layoutProblems(page, variants);
        problems.push(...found.map((problem) => `${width}x${height}, ${problem}`));
      }
    };
    await collect(sizes, [100, 200]);
    await collect(zoomed, [100]);
    expect(problems.join("\n")).toBe("");
  });
}
