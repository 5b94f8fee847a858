import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { expect, test } from "../fixtures/test.ts";
import { Chat } from "../pages/chat.ts";
import { Files } from "../pages/files.ts";
import { AppMesh } from "./app_mesh.ts";
import { saveTransfer } from "./figures.ts";
import { measureLoad } from "./load.ts";
import type { Member } from "./measured_mesh.ts";
import { names, parameters, quick } from "./parameters.ts";

/** Size of the file in bytes. */
const size = quick ? 10_000_000 : 100_000_000;

test("a large file between two of four riders", async ({ newRider, browser }, info) => {
  const mesh = new AppMesh(newRider);
  const members: Member[] = [];
  for (const name of names.slice(0, 4)) members.push(await mesh.join(await mesh.prepare(name), members));
  await mesh.start(members);
  const pages = members.map(({ page }) => page);
  const [sender, receiver] = [new Files(pages[0]!), new Files(pages[1]!)];
  // Playwright passes at most 50 MiB without a file.
  const film = info.outputPath("film.mp4");
  writeFileSync(film, Buffer.alloc(size, 7));
  const [, closed] = await measureLoad(browser, pages, () => mesh.ages(members, parameters.seconds));
  for (const page of pages) await new Chat(page).open();
  await sender.offer("Ben", film);

  const [quiet, idle] = await measureLoad(browser, pages, () => mesh.ages(members, parameters.seconds));
  const transfer = receiver.transfer("film.mp4");
  const [{ ages, seconds }, busy] = await measureLoad(browser, pages, async () => {
    const begun = performance.now();
    await transfer.button("Accept").click();
    const complete = transfer.expectState("complete", 300_000).then(() => (performance.now() - begun) / 1_000);
    // In steps, since the file is complete some time or other.
    const ages: number[] = [];
    let seconds: number | undefined;
    void complete.then((time) => (seconds = time));
    while (seconds === undefined) ages.push(...(await mesh.ages(members, 1)));
    await complete;
    return { ages, seconds };
  });
  expect(ages.length).toBeGreaterThan(0);
  saveTransfer({ size, seconds, quiet, ages, closed: closed.processor, idle: idle.processor, busy: busy.processor });
});
