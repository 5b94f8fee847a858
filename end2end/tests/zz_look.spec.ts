import { fakeDevices } from "../fixtures/media.ts";
import { test, expect } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { each, gather, rideTogether } from "../pages/rider.ts";
test.use({ launchOptions: fakeDevices, settings: { GRUPPETTO_RIDER_SILENCE_MS: "0" } });
const sizes = [[1440, 900], [1280, 720], [1024, 768], [390, 844], [320, 568], [844, 390]] as const;
test("look", async ({ newRider }) => {
  test.setTimeout(600_000);
  const names = ["Ana Berger", "Ben Okafor", "Cem Yildiz", "Dora Lindqvist", "Emil Novak", "Fay Moreau"];
  const all = [];
  for (const name of names) all.push(await newRider(name, 200));
  const [ana, ben, cem, dora, emil, fay] = all as any;
  const shoot = async (rider: any, name: string) => {
    const before = rider.page.viewportSize();
    for (const [width, height] of sizes) {
      await rider.page.setViewportSize({ width, height });
      await rider.page.waitForTimeout(400);
      await rider.page.screenshot({ path: `/tmp/look/${name}-${width}x${height}.png`, fullPage: width < 600 });
    }
    await rider.page.setViewportSize(before);
  };
  if (process.env.LOOK !== "ride") {
    await ana.startRide();
    await ana.media.microphone.click();
    await expect(ana.media.goLiveButton).toBeEnabled();
    await ana.page.waitForTimeout(500);
    await shoot(ana, "dialog-mic");
    await ana.media.goLiveButton.click();
    await ana.media.camera.click();
    await expect(ana.media.goLiveButton).toBeEnabled();
    await ana.page.waitForTimeout(500);
    await shoot(ana, "dialog-cam");
    await ana.media.goLiveButton.click();
  }
  if (!ana.page.url().includes("/ride/")) await ana.startRide();
  for (const other of all.slice(1)) { await other.acceptInvitation(ana.invitation); await other.expectLobby(); }
  await each(all, (rider: any) => rider.useSimulatedTrainer());
  await ana.ride.share(longRide);
  await each([ben, cem], ({ media }: any) => media.goLive("Microphone", "Camera"));
  await ana.page.waitForTimeout(3000);
  await shoot(ana, "lobby2");
  await dora.media.microphone.click(); await dora.media.goLiveButton.click();
  await dora.media.microphone.click();
  await ana.ride.start.click();
  await each(all, (rider: any) => rider.ride.expectRiding());
  await ana.page.waitForTimeout(2000);
  await shoot(ana, "ride2-host");
  await shoot(ben, "ride2");
  await dora.media.goLive("Camera");
  if (process.env.LOOK !== "ride") {} else await ana.media.goLive("Camera");
  await emil.media.goLive("Camera", "Microphone");
  await ana.page.waitForTimeout(4000);
  await shoot(ana, "ride4-host");
  await fay.media.goLive("Camera");
  await ana.page.waitForTimeout(3000);
  await shoot(ana, "ride6-host");
  await shoot(dora, "ride6");
  await ben.media.goLive("Share screen");
  await ana.page.waitForTimeout(3000);
  await shoot(ana, "screen-host");
  await shoot(dora, "screen");
  await dora.page.getByRole("button", { name: "Enlarge Emil Novak" }).click();
  await dora.page.waitForTimeout(2000);
  await shoot(dora, "screen-large");
  await ana.ride.card("Dora Lindqvist").article.getByRole("button", { name: "Ask to unmute" }).click();
  await dora.page.waitForTimeout(500);
  await shoot(dora, "asked");
});
