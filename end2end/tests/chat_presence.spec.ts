import { recordTones, type Tone } from "../fixtures/audio.ts";
import { expect, test } from "../fixtures/test.ts";
import { each, gather } from "../pages/rider.ts";

declare global {
  interface Window {
    /** Makes the page believe that another tab is in front, or that it is visible again. */
    setHidden?: (hidden: boolean) => void;
  }
}

/** Lets a test hide the page. Runs before all other scripts. */
function hideOnRequest(): void {
  let state: DocumentVisibilityState = "visible";
  Object.defineProperty(Document.prototype, "visibilityState", { get: () => state });
  Object.defineProperty(Document.prototype, "hidden", { get: () => state === "hidden" });
  window.setHidden = (hidden) => {
    state = hidden ? "hidden" : "visible";
    document.dispatchEvent(new Event("visibilitychange"));
  };
}

test("riders see who types, who is in another tab, and since when another one is away", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const others = [await newRider("Ben", 250, { before: hideOnRequest }), await newRider("Cem", 320), await newRider("Dora", 180)];
  const [ben, cem] = [others[0]!, others[1]!];
  await gather(ana, ...others);
  await each([ana, ...others], ({ chat }) => chat.open());

  await test.step("two who type are named, three are counted, and they are gone with the text", async () => {
    await ben.chat.text.pressSequentially("On");
    await cem.chat.text.pressSequentially("On");
    await expect(ana.chat.region.getByText(/(Ben and Cem|Cem and Ben) are typing/)).toBeVisible();
    await each(others, ({ chat }) => chat.text.pressSequentially("e"));
    await expect(ana.chat.region.getByText("3 riders are typing")).toBeVisible();
    await each(others, ({ chat }) => chat.text.fill(""));
    await expect(ana.chat.region.getByText(/typing/)).toBeHidden();
  });

  await test.step("Ben looks at another tab: a message is delivered to him, and read when he comes back", async () => {
    const presence = ana.ride.card("Ben").article.locator("[data-presence]");
    await ben.page.evaluate(() => window.setHidden?.(true));
    await expect(presence).toHaveAttribute("data-presence", "hidden");
    await expect(presence).toHaveText(/^in another tab since \d{1,2}:\d{2}/);
    await ana.chat.say("Ready, Ben?");
    const { marks } = ana.chat.message("Ready, Ben?");
    await expect(marks).toContainText("delivered to 3 of 3");
    await expect(marks).toContainText("read by 2 of 3");
    await expect(ben.page).toHaveTitle(/^\(1\) /);
    await ben.page.evaluate(() => window.setHidden?.(false));
    await expect(marks).toContainText("read by 3 of 3");
    await expect(presence).toHaveText("");
  });

  await test.step("Cem closes the tab and is away since then", async () => {
    await cem.page.close();
    const presence = ana.ride.card("Cem").article.locator("[data-presence]");
    await expect(presence).toHaveAttribute("data-presence", "away");
    await expect(presence).toHaveText(/^away since \d{1,2}:\d{2}/);
  });
});

test("a message sounds, unless the rider has switched that off", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200, { before: recordTones }), await newRider("Ben", 250)];
  await gather(ana, ben);
  const tones = () => ana.page.evaluate(() => (window as unknown as { tones: Tone[] }).tones.length);
  await ben.chat.open();
  const before = await tones();
  await ben.chat.say("Can you hear me?");
  await expect.poll(tones).toBeGreaterThan(before);

  await ana.chat.open();
  await (await ana.chat.setting(/Sound/)).uncheck();
  await expect(ana.chat.message("Can you hear me?").article).toBeVisible();
  const heard = await tones();
  await ben.chat.say("And now?");
  await expect(ana.chat.message("And now?").article).toBeVisible();
  expect(await tones()).toBe(heard);
});
