import { expectAccessible, tabTo } from "../fixtures/accessibility.ts";
import {
  arriving, denyDevices, fakeDevices, makeInsecure, occupyDevices, received, recordTracks, recordVolumes, refuseSound, removeDevices, trackStates,
  volumes, formerVolumes,
} from "../fixtures/media.ts";
import { disableWebRtc } from "../fixtures/probes.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { each, eachPair, gather, rideTogether, type Rider } from "../pages/rider.ts";

test.use({
  launchOptions: fakeDevices,
  // A scan with axe stops its page for some seconds, after which the server would give the host role to another rider.
  settings: { GRUPPETTO_RIDER_SILENCE_MS: "0" },
});

/** Expects that all tracks that a page has captured have ended: the light of the camera is off. */
async function expectAllEnded({ page }: Rider, count: number): Promise<void> {
  await expect.poll(() => trackStates(page)).toEqual(Array<string>(count).fill("ended"));
}

const hears = (rider: Rider) => expect.poll(async () => (await arriving(rider.page)).audioEnergy, { timeout: 20_000 }).toBeGreaterThan(0);
const hearsNothing = (rider: Rider) => expect.poll(async () => (await arriving(rider.page)).audioEnergy, { timeout: 20_000 }).toBeLessThan(1e-6);
const sees = (rider: Rider) => expect.poll(async () => (await arriving(rider.page)).cameraFrames, { timeout: 20_000 }).toBeGreaterThan(0);
const seesNothing = (rider: Rider) => expect.poll(async () => (await arriving(rider.page)).cameraFrames, { timeout: 20_000 }).toBe(0);

/**
 * Expects the camera of a rider on the board of another one. On a machine that is too slow for all pictures, the rider
 * is told instead that the own camera pauses.
 */
async function expectCamera(watcher: Rider, other: Rider): Promise<void> {
  const video = watcher.media.cameraOf(watcher.ride.card(other.name).article);
  const isPaused = () => other.media.notes.getByText("Your camera pauses").isVisible();
  const hasPictures = () => video.evaluate((video: HTMLVideoElement) => video.videoHeight > 0, null, { timeout: 1_000 }).catch(() => false);
  await expect.poll(async () => (await isPaused()) || (await hasPictures()), { timeout: 20_000 }).toBe(true);
}

test("three riders hear and see each other from the lobby into the ride, and everything ends with it", async ({ newRider }) => {
  test.slow();
  const [ana, ben, cem] = await Promise.all(
    (["Ana", "Ben", "Cem"] as const).map((name) => newRider(name, 200, { before: recordTracks })),
  ) as [Rider, Rider, Rider];
  const all = [ana, ben, cem];
  await gather(ana, ben, cem);
  await each(all, ({ media }) => media.goLive("Microphone", "Camera"));

  const expectEachReceived = () => each(all, ({ page }) => expect.poll(() => received(page), { timeout: 30_000 }).toEqual(
    [0, 1].map(() => expect.objectContaining({ audioEnergy: expect.any(Number) })),
  ));
  await test.step("energy of sound and decoded pictures arrive from each of the others", async () => {
    await expectEachReceived();
    await each(all, ({ page }) => expect.poll(async () => {
      const connections = await received(page);
      return connections.filter(({ audioEnergy, cameraFrames }) => audioEnergy > 0 && cameraFrames > 0).length;
    }, { timeout: 30_000 }).toBe(2));
  });

  await test.step("each card shows the camera and the microphone, and the one who speaks is marked", async () => {
    await eachPair(all, async (watcher, other) => {
      const card = watcher.ride.card(other.name).article;
      await expectCamera(watcher, other);
      await expect(card.locator('[data-speaking="true"]')).toBeVisible();
      await expect(card.getByText("speaking")).toBeVisible();
    });
  });

  await test.step("the start of the ride changes none of it", async () => {
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    // Three pages encode and decode pictures meanwhile, which takes all of a small computer.
    await each(all, ({ ride }) => expect(ride.myRide).toBeVisible({ timeout: 60_000 }));
    await each(all, hears);
    await eachPair(all, expectCamera);
  });

  await test.step("the end of the ride stops every track", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await each(all, ({ ride }) => expect(ride.summary).toBeVisible());
    await each(all, (rider) => expectAllEnded(rider, 2));
    await expect(ana.media.microphone).toBeHidden();
  });
});

test("a rider mutes with a tap and with a key, holds a key to talk, and switches microphone and camera off", async ({ newRider }) => {
  test.slow();
  const [ana, ben] = [await newRider("Ana", 200, { before: recordTracks }), await newRider("Ben", 250)];
  await gather(ana, ben);
  const card = ben.ride.card("Ana").article;
  await ana.media.goLive("Microphone", "Camera");
  await hears(ben);
  await sees(ben);

  await test.step("a tap mutes and unmutes", async () => {
    await ana.media.microphone.click();
    await ana.media.expectState("Microphone", "muted");
    await expect(ana.media.microphone).toHaveAttribute("aria-pressed", "false");
    await ben.media.expectVoice(card, /^muted$/);
    await hearsNothing(ben);
    await ana.media.microphone.click();
    await ana.media.expectState("Microphone", "live");
    await expect(ana.media.microphone).toHaveAttribute("aria-pressed", "true");
    await hears(ben);
  });

  await test.step("the key m does the same", async () => {
    await ana.page.keyboard.press("m");
    await ana.media.expectState("Microphone", "muted");
    await hearsNothing(ben);
  });

  await test.step("while v is held, the muted rider is heard", async () => {
    await ana.page.keyboard.down("v");
    await hears(ben);
    await ben.media.expectVoice(card, /^(live|speaking)$/);
    await ana.page.keyboard.up("v");
    await hearsNothing(ben);
    await ben.media.expectVoice(card, /^muted$/);
  });

  await test.step("keys in a text are letters", async () => {
    await ana.chat.open();
    await ana.chat.text.pressSequentially("mv");
    await ana.media.expectState("Microphone", "muted");
    await ana.chat.text.fill("");
    await ana.chat.close();
  });

  await test.step("a tap switches the camera off", async () => {
    await ana.media.camera.click();
    await ana.media.expectState("Camera", "off");
    await expect(ben.media.cameraOf(card)).toBeHidden();
    await seesNothing(ben);
    expect(await trackStates(ana.page)).toEqual(["live", "ended"]);
  });

  await test.step("the microphone is changed and switched off in a dialog", async () => {
    await ana.media.openSettings();
    await ana.media.settings.getByRole("button", { name: "Change microphone" }).click();
    await expect(ana.media.goLiveButton).toBeEnabled();
    const select = ana.media.dialog.getByRole("combobox", { name: "Microphone" });
    const devices = await select.locator("option").count();
    expect(devices).toBeGreaterThan(1);
    await select.selectOption({ index: devices - 1 });
    await expect(ana.media.goLiveButton).toBeEnabled();
    await ana.media.goLiveButton.click();
    await ana.media.microphone.click();
    await ana.media.expectState("Microphone", "live");
    await hears(ben);
    await ana.media.openSettings();
    await ana.media.settings.getByRole("button", { name: "Switch microphone off" }).click();
    await ana.media.expectState("Microphone", "off");
    await expect(card.locator("[data-voice]")).toBeHidden();
    await expect.poll(async () => new Set(await trackStates(ana.page))).toEqual(new Set(["ended"]));
  });
});

test("a dialog that is closed without going live captures nothing any more", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: recordTracks });
  await ana.startRide();
  await ana.media.microphone.click();
  await expect.poll(async () => Number(await ana.media.level.getAttribute("aria-valuenow"))).toBeGreaterThan(20);
  await ana.page.keyboard.press("Escape");
  await expect(ana.media.dialog).toBeHidden();
  await expectAllEnded(ana, 1);
  await ana.media.camera.click();
  await expect(ana.media.preview).toBeVisible();
  await expect.poll(() => ana.media.preview.evaluate((video: HTMLVideoElement) => video.videoHeight)).toBe(480);
  await ana.media.dialog.getByRole("button", { name: "Cancel" }).click();
  await expectAllEnded(ana, 2);
  await ana.media.expectState("Microphone", "off");
  await ana.media.expectState("Camera", "off");
});

test("one rider at a time shares a screen, which the others see large beside their own numbers", async ({ newRider }) => {
  test.slow();
  const [ana, ben] = [await newRider("Ana", 200, { before: recordTracks }), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await ana.media.goLive("Share screen");
  await expect(ben.media.sharedScreen).toBeVisible();
  await expect(ben.media.sharedScreen).toContainText("Ana shares a screen");
  await expect.poll(async () => (await arriving(ben.page)).screenFrames, { timeout: 20_000 }).toBeGreaterThan(0);

  await test.step("it covers none of the own numbers at any size", async () => {
    for (const [width, height] of [[1440, 900], [1280, 720], [1024, 768], [390, 844], [320, 568], [844, 390]] as const) {
      await ben.page.setViewportSize({ width, height });
      for (const metric of ["power", "target", "interval-remaining"] as const) {
        const isOnTop = await ben.ride.metric(metric).evaluate((element) => {
          const { left, top, width, height } = element.getBoundingClientRect();
          const [x, y] = [left + width / 2, top + height / 2];
          const found = document.elementFromPoint(x, y);
          return y < window.innerHeight && found !== null && (found === element || element.contains(found) || found.contains(element));
        });
        expect(isOnTop, `${metric} at ${width}x${height}`).toBe(true);
      }
      await expect(ben.media.sharedScreen).toBeVisible();
    }
    await ben.page.setViewportSize({ width: 1280, height: 720 });
  });

  await test.step("a second screen is refused with a sentence", async () => {
    await ben.media.screen.click();
    await expect(ben.media.goLiveButton).toBeEnabled();
    await ben.media.goLiveButton.click();
    await expect(ben.media.notes).toContainText("Another rider shares a screen");
    await ben.media.expectState("Share screen", "off");
  });

  await test.step("a tap ends it", async () => {
    await ana.media.screen.click();
    await expect(ben.media.sharedScreen).toBeHidden();
    await expectAllEnded(ana, 1);
  });
});

test("a camera is enlarged and sent larger, and a rider's volume is set", async ({ newRider }) => {
  test.slow();
  const [ana, ben] = [await newRider("Ana", 200, { before: recordVolumes }), await newRider("Ben", 250)];
  await gather(ana, ben);
  await ben.media.goLive("Microphone", "Camera");
  await sees(ana);
  await expect.poll(async () => (await arriving(ana.page)).cameraHeight, { timeout: 20_000 }).toBe(240);
  await ana.page.getByRole("button", { name: "Enlarge Ben" }).click();
  const large = ana.page.getByRole("region", { name: "Camera of Ben" });
  await expect(large).toBeVisible();
  // 480, unless the browser finds this computer too slow for it.
  await expect.poll(async () => (await arriving(ana.page)).cameraHeight, { timeout: 20_000 }).toBeGreaterThan(240);
  await large.getByRole("button", { name: "Make small" }).click();
  await expect(large).toBeHidden();

  await expect.poll(() => volumes(ana.page)).toEqual([1]);
  const volume = await ana.media.volumeOf("Ben");
  await volume.fill("30");
  await expect.poll(() => volumes(ana.page)).toEqual([0.3]);

  await test.step("a rider who is hidden is not heard", async () => {
    const card = ana.ride.card("Ben").article;
    await ana.chat.open();
    await ana.chat.action("Message Ben").click();
    await ana.chat.action("Hide Ben").click();
    await expect.poll(() => volumes(ana.page)).toEqual([0]);
    await ana.media.expectVoice(card, /^hidden$/);
    await expect(card.getByText("hidden, not heard")).toBeVisible();
    await ana.chat.action("Show Ben").click();
    await expect.poll(() => volumes(ana.page)).toEqual([0.3]);
    await ana.chat.close();
  });

  await test.step("the tones before the start lower the voices while they are played", async () => {
    expect(await formerVolumes(ana.page)).not.toContain(0.08);
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    await expect.poll(() => formerVolumes(ana.page), { timeout: 30_000 }).toContain(0.08);
    await each([ana, ben], ({ ride }) => ride.expectRiding());
    await expect.poll(() => volumes(ana.page)).toEqual([0.3]);
  });
});

test("a rider whose browser plays no sound yet, or whose device is unplugged, is told what to do", async ({ newRider }) => {
  test.slow();
  const [ana, ben] = [
    await newRider("Ana", 200, { before: refuseSound }),
    await newRider("Ben", 250, { before: recordTracks }),
  ];
  await gather(ana, ben);
  await ben.media.goLive("Microphone");
  const hear = ana.media.notes.getByRole("button", { name: "Hear the others" });
  await expect(hear).toBeVisible({ timeout: 30_000 });
  // It is refused again, and the button stays.
  await hear.click();
  await expect(hear).toBeVisible();
  await ana.page.evaluate(() => (window as unknown as { allowSound: () => void }).allowSound());
  await hear.click();
  await expect(hear).toBeHidden();

  await ben.page.evaluate(() => window.capturedTracks?.[0]?.dispatchEvent(new Event("ended")));
  await expect(ben.media.notes).toContainText("it was unplugged, or another program took it");
  await ben.media.expectState("Microphone", "off");
  await expect(ana.ride.card("Ben").article.locator("[data-voice]")).toBeHidden();
  await ben.media.goLive("Microphone");
  await ana.media.expectVoice(ana.ride.card("Ben").article, /^(live|speaking)$/);
});

test("the host mutes everyone, and asks a rider to unmute", async ({ newRider }) => {
  test.slow();
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await gather(ana, ben, cem);
  await each([ana, ben, cem], ({ media }) => media.goLive("Microphone"));
  await expect(ben.media.muteEveryone).toBeHidden();
  await ana.media.muteEveryone.click();
  await each([ben, cem], async ({ media }) => {
    await media.expectState("Microphone", "muted");
    await expect(media.notes).toContainText("The host has muted everyone");
  });
  await ana.media.expectState("Microphone", "live");

  const ask = ana.ride.card("Ben").article.getByRole("button", { name: "Ask to unmute" });
  await expect(ben.ride.card("Cem").article.getByRole("button", { name: "Ask to unmute" })).toBeHidden();
  await ask.click();
  await expect(ben.media.notes).toContainText("The host asks you to unmute");
  await expect(cem.media.notes).not.toContainText("asks you");
  await ben.media.notes.getByRole("button", { name: "Unmute" }).click();
  await ben.media.expectState("Microphone", "live");
  await expect(ben.media.notes).not.toContainText("asks you");
  await expect(ask).toBeHidden();
});

test("a reload and leaving stop every track", async ({ newRider }) => {
  test.slow();
  const [ana, ben] = [await newRider("Ana", 200, { before: recordTracks }), await newRider("Ben", 250)];
  await gather(ana, ben);
  const card = ben.ride.card("Ana").article;
  await ana.media.goLive("Microphone", "Camera");
  await sees(ben);
  await ana.page.reload();
  await ana.expectLobby();
  await ana.media.expectState("Camera", "off");
  expect(await trackStates(ana.page)).toEqual([]);
  await expect(ben.media.cameraOf(card)).toBeHidden();

  await ana.media.goLive("Camera", "Microphone");
  await expect(ben.media.cameraOf(card)).toBeVisible();
  await sees(ben);
  await ana.ride.leave.click();
  await expectAllEnded(ana, 2);
});

test("what forbids voice and cameras is said with what can be done", async ({ newRider }) => {
  const cases = [
    { name: "Denied", before: denyDevices, button: "Microphone", problem: "not-allowed", text: "Allow it" },
    { name: "Missing", before: removeDevices, button: "Camera", problem: "no-device", text: "Plug one in" },
    { name: "Insecure", before: makeInsecure, button: "Microphone", problem: "insecure", text: "https" },
    { name: "Old", before: disableWebRtc, button: "Camera", problem: "no-webrtc", text: "WebRTC" },
    { name: "Cancelled", before: denyDevices, button: "Share screen", problem: "not-allowed", text: "No screen was chosen" },
  ] as const;
  for (const { name, before, button, problem, text } of cases) {
    await test.step(name, async () => {
      const rider = await newRider(name, 200, { before });
      await rider.startRide();
      await rider.media.button(button).click();
      await expect(rider.media.problem).toHaveAttribute("data-problem", problem);
      await expect(rider.media.problem).toContainText(text);
      await expect(rider.media.goLiveButton).toBeDisabled();
      await rider.page.keyboard.press("Escape");
      await rider.media.expectState(button, "blocked");
      await rider.page.close();
    });
  }
  await test.step("a device that another program has is opened once it is free", async () => {
    const rider = await newRider("Taken", 200, { before: occupyDevices });
    await rider.startRide();
    await rider.media.camera.click();
    await expect(rider.media.problem).toHaveAttribute("data-problem", "taken");
    await rider.page.evaluate(() => (window as unknown as { freeDevices: () => void }).freeDevices());
    await rider.media.dialog.getByRole("button", { name: "Try again" }).click();
    await expect(rider.media.goLiveButton).toBeEnabled();
    await expect(rider.media.problem).toBeHidden();
  });
});

test("a ride that was opened from the home page is loaded again once, where its page may use the devices", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: recordTracks });
  await ana.startRide();
  await ana.page.evaluate(() => Object.assign(window, { isFirst: true }));
  await ana.media.camera.click();
  await expect(ana.media.goLiveButton).toBeEnabled();
  expect(await ana.page.evaluate(() => "isFirst" in window)).toBe(false);
  await ana.media.goLiveButton.click();
  await ana.media.expectState("Camera", "live");
  await ana.page.evaluate(() => Object.assign(window, { isSecond: true }));
  await ana.media.goLive("Microphone");
  expect(await ana.page.evaluate(() => "isSecond" in window)).toBe(true);
});

test("a rider without WebRTC is shown as not reachable for voice", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250, { before: disableWebRtc })];
  await gather(ana, ben);
  await ana.media.goLive("Microphone");
  await expect(ana.ride.card("Ben").article.getByText("not reachable for voice")).toBeVisible({ timeout: 60_000 });
});

test("voice and cameras are used with the keyboard alone, and axe finds nothing in any of their states", async ({ newRider }) => {
  test.slow();
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  const { page, media } = ana;
  await expectAccessible(page, "off");
  await tabTo(page, media.microphone);
  await page.keyboard.press("Enter");
  await expect(media.goLiveButton).toBeEnabled();
  await expectAccessible(page, "dialog of the microphone");
  await tabTo(page, media.goLiveButton);
  await page.keyboard.press("Enter");
  await media.expectState("Microphone", "live");
  await expect(media.microphone).toBeFocused();
  await page.keyboard.press("Enter");
  await media.expectState("Microphone", "muted");
  await page.keyboard.press("Enter");
  await tabTo(page, media.camera);
  await page.keyboard.press("Enter");
  await expect(media.goLiveButton).toBeEnabled();
  await expectAccessible(page, "dialog of the camera");
  await tabTo(page, media.goLiveButton);
  await page.keyboard.press("Enter");
  await ben.media.goLive("Microphone", "Camera", "Share screen");
  await expect(media.sharedScreen).toBeVisible();
  await expectAccessible(page, "cameras in the lobby");

  const enlarge = page.getByRole("button", { name: "Enlarge Ben" });
  await tabTo(page, enlarge);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Camera of Ben" })).toBeVisible();
  const sound = page.getByRole("button", { name: "Sound of Ben" });
  await tabTo(page, sound);
  await page.keyboard.press("Enter");
  const volume = page.getByRole("slider", { name: "Volume of Ben" });
  await tabTo(page, volume);
  await page.keyboard.press("Home");
  await expect(volume).toHaveValue("0");
  await ben.media.microphone.click();
  await expect(page.getByRole("button", { name: "Ask to unmute" })).toBeVisible();
  await expectAccessible(page, "volume and enlarged camera");

  const settings = page.getByRole("button", { name: "Voice and camera", exact: true });
  await tabTo(page, settings);
  await page.keyboard.press("Enter");
  await expect(media.settings).toBeVisible();
  await expectAccessible(page, "dialog of live devices");
  await page.keyboard.press("Escape");
  await tabTo(page, page.getByRole("button", { name: "Ask to unmute" }));
  await page.keyboard.press("Enter");
  await expect(ben.media.notes).toContainText("asks you");
  await expectAccessible(ben.page, "request to unmute");

  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await each([ana, ben], ({ ride }) => ride.expectRiding());
  await expect(media.sharedScreen).toBeVisible();
  await expectAccessible(page, "ride with cameras and a shared screen");
});
