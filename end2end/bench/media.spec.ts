import type { Page } from "@playwright/test";
import { fakeDevices, received, type Received } from "../fixtures/media.ts";
import { expect, test } from "../fixtures/test.ts";
import { Media } from "../pages/media.ts";
import { AppMesh } from "./app_mesh.ts";
import { saveMedia, type MediaStage } from "./figures.ts";
import { measureLoad } from "./load.ts";
import type { Member } from "./measured_mesh.ts";
import { names, parameters } from "./parameters.ts";

test.use({ launchOptions: fakeDevices });

/** Waits until something has arrived from a number of others. */
async function expectFrom(others: number, page: Page, has: (one: Received) => boolean): Promise<void> {
  await expect.poll(async () => (await received(page)).filter(has).length, { timeout: 60_000 }).toBe(others);
}

test("voice and cameras of four riders", async ({ newRider, browser }) => {
  const mesh = new AppMesh(newRider);
  const members: Member[] = [];
  for (const name of names.slice(0, 4)) members.push(await mesh.join(await mesh.prepare(name), members));
  await mesh.start(members);
  const pages = members.map(({ page }) => page);
  const stages: MediaStage[] = [];
  const measure = async (name: MediaStage["name"]) => {
    const [ages, { bytes, processor }] = await measureLoad(browser, pages, () => mesh.ages(members, parameters.seconds));
    expect(ages.length, `ages of numbers, ${name}`).toBeGreaterThan(0);
    const sent = bytes.reduce((sum, one) => sum + one, 0) / pages.length;
    stages.push({ name, ages, processor, sent });
  };

  await measure("nothing");
  for (const page of pages) await new Media(page).goLive("Microphone");
  for (const page of pages) await expectFrom(3, page, ({ audioEnergy }) => audioEnergy > 0);
  await measure("four voices");

  const [last, ...others] = [...pages].reverse() as [Page, Page, Page, Page];
  for (const page of others) await new Media(page).goLive("Camera");
  await expectFrom(3, last, ({ cameraFrames }) => cameraFrames > 0);
  for (const page of others) await expectFrom(2, page, ({ cameraFrames }) => cameraFrames > 0);
  await measure("four voices and three cameras");

  await new Media(last).goLive("Camera");
  for (const page of pages) await expectFrom(3, page, ({ cameraFrames }) => cameraFrames > 0);
  await measure("four voices and four cameras");
  saveMedia(stages);
});
