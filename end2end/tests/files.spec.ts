import { Buffer } from "node:buffer";
import type { Locator, Page } from "@playwright/test";
import { disableWebRtc } from "../fixtures/probes.ts";
import { expectAccessible, tabTo } from "../fixtures/accessibility.ts";
import { expect, test } from "../fixtures/test.ts";
import { file, longRide, type FilePayload } from "../fixtures/workouts.ts";
import { sha256 } from "../pages/files.ts";
import { each, gather, rideTogether } from "../pages/rider.ts";

// A scan with axe stops its page for some seconds, after which the server would give the host role to another rider. Over
// the relay, transfers take some seconds, so that there is time to do something meanwhile.
test.use({ settings: { GRUPPETTO_RIDER_SILENCE_MS: "0", GRUPPETTO_RELAY_BYTES_PER_SECOND: "262144" } });

/** A file of this size whose bytes differ from place to place. */
function bytes(name: string, size: number): FilePayload {
  const buffer = Buffer.alloc(size);
  let state = 1;
  for (let at = 0; at + 4 <= size; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    buffer.writeUInt32LE(state, at);
  }
  return file(name, buffer, "application/octet-stream");
}

/** Closes all direct connections of a page, as a lost network does: nobody is told. */
async function cutLinks(page: Page): Promise<void> {
  await page.evaluate(() => window.peerConnections?.splice(0).forEach((connection) => connection.close()));
}

test("a file of 20 MB reaches two riders, over a link that is cut in the middle", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await gather(ana, ben, cem);
  for (const name of ["Ben", "Cem"]) await ana.ride.card(name).expectLink("direct");
  const film = bytes("film.mp4", 20_000_000);
  await ana.files.offer("Everyone", film);
  await each([ben, cem], async ({ files, ride }) => {
    const transfer = files.transfer("film.mp4");
    await transfer.expectState("offered");
    await expect(transfer.article).toContainText("From Ana");
    await expect(transfer.article).toContainText("20.0 MB");
    await expect(ride.page.getByRole("status").filter({ hasText: "Ana wants to send you film.mp4, 20.0 MB." })).toBeAttached();
  });
  await each([ben, cem], ({ files }) => files.transfer("film.mp4").button("Accept").click());
  await ana.files.transfer("film.mp4", "To Ben").expectPercent(5);
  await cutLinks(ben.page);
  await each([ben, cem], async ({ files }) => {
    const transfer = files.transfer("film.mp4");
    await transfer.expectState("complete", 60_000);
    expect(await transfer.save()).toEqual({ name: "film.mp4", sha256: sha256(film.buffer), size: 20_000_000 });
  });
  for (const name of ["To Ben", "To Cem"]) await ana.files.transfer("film.mp4", name).expectState("complete");
});

test("an offer is declined, and a transfer is paused, resumed and cancelled by either side", async ({ newRider }) => {
  const before = disableWebRtc;
  const [ana, ben] = [await newRider("Ana", 200, { before }), await newRider("Ben", 250, { before })];
  await gather(ana, ben);

  await test.step("a declined file is gone at the receiver, and the sender is told", async () => {
    await ana.files.offer("Ben", bytes("unwanted.bin", 1_000));
    await ben.files.transfer("unwanted.bin").button("Decline").click();
    await expect(ben.files.transfers).toHaveCount(0);
    const sent = ana.files.transfer("unwanted.bin");
    await sent.expectState("failed");
    await expect(sent.article).toContainText("Ben does not want the file.");
    await sent.button("Remove").click();
    await expect(ana.files.region).toBeHidden();
  });

  const slow = bytes("slow.bin", 3_000_000);
  await ana.files.offer("Ben", slow);
  const [sent, received] = [ana.files.transfer("slow.bin"), ben.files.transfer("slow.bin")];
  await received.button("Accept").click();

  await test.step("both sides see the progress, and that it goes over the server", async () => {
    await each([ana, ben], async ({ files }) => {
      const transfer = files.transfer("slow.bin");
      await transfer.expectPercent(1);
      await expect(transfer.article).toHaveAttribute("data-relayed", "true");
      await expect(transfer.article).toContainText("goes over the server");
      await expect(transfer.article).toContainText(/\d B\/s|\d kB\/s|\d MB\/s/);
      await expect(transfer.article).toContainText(/\d:\d\d left/);
      await expect(transfer.bar).toHaveAccessibleName("slow.bin");
    });
  });

  await test.step("the receiver pauses and resumes", async () => {
    await received.button("Pause").click();
    await each([ana, ben], ({ files }) => files.transfer("slow.bin").expectState("paused"));
    await expect(sent.article).toContainText("Ben has paused it.");
    await expect(received.button("Resume")).toBeFocused();
    const before = await received.percent();
    await received.button("Resume").click();
    await each([ana, ben], ({ files }) => files.transfer("slow.bin").expectState("running"));
    await received.expectPercent(before + 1);
  });

  await test.step("the sender pauses, and the receiver cancels", async () => {
    await sent.button("Pause").click();
    await expect(received.article).toContainText("Ana has paused it.");
    await received.button("Cancel").click();
    await received.expectState("failed");
    await sent.expectState("failed");
    await expect(sent.article).toContainText("Ben has cancelled it.");
    await expect(received.article).toContainText("You have cancelled it.");
  });
});

test("an empty file arrives, a name that would mislead is cleaned, and six files follow each other", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  await ana.files.offer("Ben", file("empty.txt", ""));
  const empty = ben.files.transfer("empty.txt");
  await expect(empty.article).toContainText("0 B");
  await empty.button("Accept").click();
  await empty.expectState("complete");
  expect(await empty.save()).toEqual({ name: "empty.txt", sha256: sha256(Buffer.alloc(0)), size: 0 });
  await empty.button("Remove").click();
  await expect(ben.files.transfers).toHaveCount(0);

  await test.step("no path, and no characters that turn text around", async () => {
    const bad = bytes("../../etc/harmless\u202Egpj.exe", 100);
    await ana.files.offer("Ben", bad);
    const transfer = ben.files.transfer("harmlessgpj.exe");
    await transfer.button("Accept").click();
    await transfer.expectState("complete");
    expect((await transfer.save()).name).toBe("harmlessgpj.exe");
    await expect(ana.files.region).not.toContainText("\u202E");
    await transfer.button("Remove").click();
  });

  await test.step("three files at a time", async () => {
    const six = [1, 2, 3, 4, 5, 6].map((number) => bytes(`part-${number}.bin`, 1_000 * number));
    await ana.files.offer("Ben", ...six);
    await expect(ana.files.region).toContainText("3 more files follow.");
    await expect(ben.files.transfers).toHaveCount(3);
    for (const { name, buffer } of six) {
      const transfer = ben.files.transfer(name);
      await transfer.button("Accept").click();
      await transfer.expectState("complete");
      expect((await transfer.save()).sha256).toBe(sha256(buffer));
    }
    await expect(ana.files.region).not.toContainText("follow");
    await ana.files.region.getByRole("button", { name: "Clear the list" }).click();
    await expect(ana.files.region).toBeHidden();
  });
});

test("a transfer goes on after a reload of the receiver, and a complete file is still there", async ({ newRider }) => {
  const before = disableWebRtc;
  const [ana, ben] = [await newRider("Ana", 200, { before }), await newRider("Ben", 250, { before })];
  await gather(ana, ben);
  const slow = bytes("slow.bin", 3_000_000);
  await ana.files.offer("Everyone", slow);
  await ben.files.transfer("slow.bin").button("Accept").click();
  await ben.files.transfer("slow.bin").expectPercent(40, 30_000);
  await ben.page.reload();
  await ben.expectLobby();
  const received = ben.files.transfer("slow.bin");
  // What was written two seconds before the reload is not sent again.
  await received.expectPercent(10);
  expect(await received.percent()).toBeLessThan(90);
  await received.expectState("complete", 60_000);
  await ben.page.reload();
  await ben.expectLobby();
  await received.expectState("complete");
  expect(await received.save()).toEqual({ name: "slow.bin", sha256: sha256(slow.buffer), size: 3_000_000 });
  await ana.files.transfer("slow.bin").expectState("complete");

  await test.step("a reload of the sender ends a transfer, and says what can be done", async () => {
    await ana.files.offer("Ben", bytes("again.bin", 3_000_000));
    await ben.files.transfer("again.bin").button("Accept").click();
    await ben.files.transfer("again.bin").expectPercent(1);
    await ana.page.reload();
    await ben.files.transfer("again.bin").expectState("failed", 30_000);
    await expect(ben.files.transfer("again.bin").article).toContainText("Ask Ana to send it again.");
  });

  await test.step("everything that is kept can be deleted", async () => {
    await ben.files.transfer("slow.bin").button("Remove").click();
    await expect.poll(() => keptTransfers(ben.page)).toBe(0);
  });
});

/** Number of transfers that the browser keeps. */
function keptTransfers(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const count = async (folder: FileSystemDirectoryHandle, depth: number): Promise<number> => {
      let all = 0;
      for await (const handle of (folder as unknown as { values(): AsyncIterable<FileSystemHandle> }).values()) {
        if (handle.kind === "directory") all += depth === 0 ? 1 : await count(handle as FileSystemDirectoryHandle, depth - 1);
      }
      return all;
    };
    return count(await navigator.storage.getDirectory(), 3);
  });
}

test("a received workout is shared by the host, and added to the own workouts by others", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  const workout = { ...longRide, name: "long.zwo" };

  await ben.files.offer("Ana", workout);
  const atAnas = ana.files.transfer("long.zwo");
  await expect(atAnas.button("Open as workout")).toBeHidden();
  await atAnas.button("Accept").click();
  await atAnas.button("Open as workout").click();
  await each([ana, ben], ({ ride }) => expect(ride.heading("Long Ride")).toBeVisible());

  await ana.files.offer("Ben", workout);
  const atBens = ben.files.transfer("long.zwo", "From Ana");
  await atBens.button("Accept").click();
  await atBens.button("Open as workout").click();
  await expect(atBens.article).toContainText("Long Ride is in your workouts.");
  const list = ben.page.waitForEvent("popup");
  await atBens.article.getByRole("link", { name: "Show workouts" }).click();
  await expect((await list).getByRole("heading", { name: "Long Ride" })).toBeVisible();

  await test.step("a file that is no workout says so", async () => {
    await ana.files.offer("Ben", file("broken.zwo", "<workout_file>"));
    const broken = ben.files.transfer("broken.zwo");
    await broken.button("Accept").click();
    await broken.button("Open as workout").click();
    await expect(broken.article.getByRole("status")).not.toBeEmpty();
  });
});

test("files that are dropped on the page are offered after a question, and a folder is refused", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  const drop = async (isFolder: boolean) => {
    const dataTransfer = await ana.page.evaluateHandle((isFolder) => {
      const data = new DataTransfer();
      data.items.add(new File(["Hello"], "hello.txt"));
      // A script cannot add a folder: this is what one looks like.
      if (isFolder) DataTransferItem.prototype.webkitGetAsEntry = () => ({ isDirectory: true }) as FileSystemEntry;
      return data;
    }, isFolder);
    const sign = ana.page.getByText("Drop files to send them");
    const main = ana.page.getByRole("main");
    await main.dispatchEvent("dragover", { dataTransfer });
    await expect(sign).toBeVisible();
    await main.dispatchEvent("drop", { dataTransfer });
    await expect(sign).toBeHidden();
  };
  await drop(false);
  await expect(ana.files.dialog).toContainText("hello.txt · 5 B");
  await expect(ben.files.region).toBeHidden();
  await ana.files.dialog.getByRole("button", { name: "Do not send" }).click();
  await expect(ana.files.region).toBeHidden();
  await drop(false);
  await ana.files.dialog.getByRole("button", { name: "Ben", exact: true }).click();
  await ben.files.transfer("hello.txt").button("Accept").click();
  expect((await ben.files.transfer("hello.txt").save()).size).toBe(5);

  await drop(true);
  await expect(ana.files.region.getByRole("alert")).toHaveText(/^A folder cannot be sent\./);
  await expect(ana.files.dialog).toBeHidden();
});

test("a file is sent and received with the keyboard alone, and axe finds no problem in any state", async ({ newRider }) => {
  test.setTimeout(180_000);
  const before = disableWebRtc;
  const [ana, ben] = [await newRider("Ana", 200, { before }), await newRider("Ben", 250, { before })];
  await gather(ana, ben);
  await ana.chat.open();
  // The field takes the focus when the chat has opened.
  await expect(ana.chat.text).toBeFocused();
  const chooser = ana.page.waitForEvent("filechooser");
  await tabTo(ana.page, ana.files.send);
  await ana.page.keyboard.press("Enter");
  await (await chooser).setFiles(bytes("ride.fit", 1_000_000));
  await expect(ana.files.dialog).toBeVisible();
  await expectAccessible(ana.page, "question to whom");
  await tabTo(ana.page, ana.files.dialog.getByRole("button", { name: "Ben", exact: true }));
  await ana.page.keyboard.press("Enter");
  await expect(ana.files.dialog).toBeHidden();

  const received = ben.files.transfer("ride.fit");
  await expect(received.article).toBeVisible();
  await expectAccessible(ben.page, "offer");
  await expectAccessible(ana.page, "unanswered offer");
  await tabTo(ben.page, received.button("Accept"));
  await ben.page.keyboard.press("Enter");
  await received.expectState("running");
  await expect(received.article).toBeFocused();
  await tabTo(ben.page, received.button("Pause"));
  await ben.page.keyboard.press("Enter");
  await received.expectState("paused");
  await expectAccessible(ben.page, "paused transfer");
  await ben.page.keyboard.press("Space");
  await received.expectState("running");
  await expectAccessible(ben.page, "running transfer");
  await received.expectState("complete", 60_000);
  await expectAccessible(ben.page, "complete file");
  await tabTo(ben.page, received.button("Save"));
  const download = ben.page.waitForEvent("download");
  await ben.page.keyboard.press("Enter");
  await download;

  await ana.files.offer("Ben", bytes("unwanted.bin", 1_000));
  await tabTo(ben.page, ben.files.transfer("unwanted.bin").button("Decline"));
  await ben.page.keyboard.press("Enter");
  await ana.files.transfer("unwanted.bin").expectState("failed");
  await expectAccessible(ana.page, "failed transfer");
  await tabTo(ben.page, ben.files.toggle);
  await ben.page.keyboard.press("Enter");
  await expect(ben.files.transfers).toHaveCount(0);
  await expectAccessible(ben.page, "number of files alone");
});

test("at every size, the files cover neither power nor target, and their buttons are large enough", async ({ newRider }, info) => {
  const before = disableWebRtc;
  const [ana, ben] = [await newRider("Ana", 200, { before }), await newRider("Ben", 250, { before })];
  await rideTogether(longRide, ana, ben);
  await ana.files.offer("Ben", bytes("A recording of the whole long ride with a long name.fit", 3_000_000));
  const transfer = ben.files.transfer("A recording of the whole long ride with a long name.fit");
  const look = async (state: string) => {
    for (const [width, height] of [[1280, 720], [1024, 768], [390, 844]] as const) {
      await ben.page.setViewportSize({ width, height });
      for (const chat of ["closed", "open"] as const) {
        await (chat === "open" ? ben.chat.open() : ben.chat.close());
        for (const metric of ["power", "target"] as const) await expectUncovered(ben.ride.metric(metric));
        for (const button of await transfer.article.getByRole("button").all()) {
          await button.scrollIntoViewIfNeeded();
          await button.click({ trial: true });
          const box = (await button.boundingBox())!;
          expect(Math.min(box.height, box.width), `size of a button at ${width} × ${height}`).toBeGreaterThanOrEqual(44);
        }
        const sideways = await ben.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(sideways, `pixels that the page of ${width} pixels scrolls sideways`).toBeLessThanOrEqual(0);
        const path = info.outputPath(`${state}-${width}x${height}-chat-${chat}.png`);
        await ben.page.screenshot({ path });
        await info.attach(`${state} ${width}x${height}, chat ${chat}`, { path, contentType: "image/png" });
      }
    }
    await ben.page.setViewportSize({ width: 1280, height: 720 });
    await ben.chat.close();
  };
  await transfer.expectState("offered");
  await look("offered");
  await transfer.button("Accept").click();
  await transfer.expectPercent(1);
  await look("running");
  await transfer.expectState("complete", 60_000);
  await look("complete");
});

/** Expects that the middle of an element is on the screen and not covered. */
async function expectUncovered(element: Locator): Promise<void> {
  await element.page().evaluate(() => window.scrollTo(0, 0));
  const isTop = await element.evaluate((element) => {
    const box = element.getBoundingClientRect();
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return top !== null && (element.contains(top) || top.contains(element));
  });
  expect(isTop, `${await element.getAttribute("data-metric")} is not covered`).toBe(true);
}
