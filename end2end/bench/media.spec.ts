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

/** Waits until something has arrived from a number of others. A machine that is too slow for pictures gets none. */
async function expectFrom(others: number, page: Page, has: (one: Received) => boolean): Promise<void> {
  const count = async () => (await received(page)).filter(has).length;
  await expect.poll(count, { message: "others from whom sound or pictures arrive", timeout: 60_000 }).toBe(others);
}

/** Number of pictures of cameras that all pages together have decoded so far. */
async function decoded(pages: Page[]): Promise<number> {
  const all = await Promise.all(pages.map(received));
  return all.flat().reduce((sum, { cameraFrames }) => sum + cameraFrames, 0);
}

test("voice and cameras of four riders", async ({ newRider, browser }) => {
  const mesh = new AppMesh(newRider);
  const members: Member[] = [];
  for (const name of names.slice(0, 4)) members.push(await mesh.join(await mesh.prepare(name), members));
  await mesh.start(members);
  const pages = members.map(({ page }) => page);
  const stages: MediaStage[] = [];
  const measure = async (name: MediaStage["name"], cameras: number) => {
    const before = await decoded(pages);
    const [ages, { bytes, processor }] = await measureLoad(browser, pages, () => mesh.ages(members, parameters.seconds));
    const frames = (await decoded(pages)) - before;
    expect(ages.length, `ages of numbers, ${name}`).toBeGreaterThan(0);
    const sent = bytes.reduce((sum, one) => sum + one, 0) / pages.length;
    // Each camera is seen by the three others.
    const pictures = cameras === 0 ? undefined : frames / parameters.seconds / (3 * cameras);
    stages.push({ name, ages, processor, sent, pictures });
  };

  await measure("nothing", 0);
  const [last, ...others] = [...pages].reverse() as [Page, Page, Page, Page];
  const cameras = async (state: "live" | "off") => {
    for (const page of others) {
      const media = new Media(page);
      if (state === "live") await media.goLive("Camera");
      else await media.camera.click();
      await media.expectState("Camera", state);
    }
    if (state === "off") return;
    await expectFrom(3, last, ({ cameraFrames }) => cameraFrames > 0);
    for (const page of others) await expectFrom(2, page, ({ cameraFrames }) => cameraFrames > 0);
  };
  await cameras("live");
  await measure("three cameras", 3);
  await cameras("off");
  for (const page of pages) await new Media(page).goLive("Microphone");
  for (const page of pages) await expectFrom(3, page, ({ audioEnergy }) => audioEnergy > 0);
  await measure("four voices", 0);

  await cameras("live");
  await measure("four voices and three cameras", 3);

  await new Media(last).goLive("Camera");
  for (const page of pages) await expectFrom(3, page, ({ cameraFrames }) => cameraFrames > 0);
  await measure("four voices and four cameras", 4);
  saveMedia(stages);
});
