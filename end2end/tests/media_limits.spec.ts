import { fakeDevices, recordTracks, trackStates } from "../fixtures/media.ts";
import { expect, test } from "../fixtures/test.ts";
import { gather } from "../pages/rider.ts";

test.use({ launchOptions: fakeDevices, settings: { GRUPPETTO_MAX_CAMERAS: "1" } });

test("as many cameras as the server allows go on, and more are refused with a sentence", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250, { before: recordTracks })];
  await gather(ana, ben);
  await ana.media.goLive("Camera");
  await expect(ben.media.cameraOf(ben.ride.card("Ana").article)).toBeVisible();
  await ben.media.camera.click();
  await expect(ben.media.goLiveButton).toBeEnabled();
  await ben.media.goLiveButton.click();
  await expect(ben.media.notes).toContainText("1 camera is on, and more are not possible");
  await ben.media.expectState("Camera", "off");
  await expect.poll(() => trackStates(ben.page)).toEqual(["ended"]);

  await ana.media.camera.click();
  await expect(ben.media.cameraOf(ben.ride.card("Ana").article)).toBeHidden();
  await ben.media.goLive("Camera");
  await expect(ana.media.cameraOf(ana.ride.card("Ben").article)).toBeVisible();
});
