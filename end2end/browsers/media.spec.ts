import { arriving, fakeDevices, recordTracks, trackStates } from "../fixtures/media.ts";
import { recordRideStart } from "../fixtures/probes.ts";
import { each, gather, type Rider } from "../pages/rider.ts";
import { expect, test } from "./test.ts";

test.use({ launchOptions: fakeDevices });

test("riders in Chromium and Firefox hear and see each other", async ({ newRider, newFirefoxRider }) => {
  test.slow();
  const ana = await newRider("Ana", 200, { before: recordTracks });
  const fox = await newFirefoxRider("Fox", 250, { before: recordRideStart });
  const both = [ana, fox];
  await gather(ana, fox);

  const expectReceived = (rider: Rider) => expect.poll(async () => {
    const { audioEnergy, cameraFrames } = await arriving(rider.page);
    return audioEnergy > 0 && cameraFrames > 0;
  }, { timeout: 40_000 }).toBe(true);

  await test.step("Firefox goes live first, and Chromium joins in", async () => {
    await fox.media.goLive("Microphone", "Camera");
    await expectReceived(ana);
    await ana.media.goLive("Microphone", "Camera");
    await expectReceived(fox);
  });

  await test.step("each card shows the other's camera", async () => {
    await expect(ana.media.cameraOf(ana.ride.card("Fox").article)).toBeVisible();
    await expect(fox.media.cameraOf(fox.ride.card("Ana").article)).toBeVisible();
  });

  await test.step("after a reload, Chromium makes a new connection", async () => {
    await ana.page.reload();
    await ana.expectLobby();
    expect(await trackStates(ana.page)).toEqual([]);
    await ana.media.goLive("Microphone", "Camera");
    await each(both, expectReceived);
  });
});
