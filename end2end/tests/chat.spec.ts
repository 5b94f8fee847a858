import { Buffer } from "node:buffer";
import type { Locator, Page } from "@playwright/test";
import { expectAccessible, tabTo } from "../fixtures/accessibility.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { each, gather, rideTogether } from "../pages/rider.ts";

// A scan with axe stops its page for some seconds, after which the server would give the host role to another rider.
test.use({ settings: { GRUPPETTO_RIDER_SILENCE_MS: "0" } });

/** Errors that browsers report about a server that is down. */
const unreachable = /WebSocket connection to|ERR_CONNECTION|Failed to load resource/;

test("three riders chat from the lobby on, see what became of their messages, and a late rider sees the history", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await gather(ana, ben, cem);

  await test.step("a message arrives once, in order, with sender and time", async () => {
    await each([ana, ben], ({ chat }) => chat.open());
    await ana.chat.say("Hello from Ana");
    const atBens = ben.chat.message("Hello from Ana").article;
    await expect(atBens).toContainText("Ana");
    await expect(atBens.locator("time")).toHaveText(/^\d{1,2}:\d{2}$/);
    await expect(atBens).toHaveAttribute("data-state", "text");
    await expect(atBens).toHaveAttribute("data-verified", "true");
    await expect(ana.chat.message("Hello from Ana").article).toHaveAttribute("data-own", "true");
    await ben.chat.text.fill("Hello from Ben");
    await ben.chat.text.press("Enter");
    for (const { chat } of [ana, ben]) await expect(chat.texts()).toHaveText(["Hello from Ana", "Hello from Ben"]);
  });

  await test.step("Ana sees to whom it was delivered, and who has read it, by name", async () => {
    const { marks, article } = ana.chat.message("Hello from Ana");
    await expect(marks).toContainText("delivered to 2 of 2");
    await expect(marks).toContainText("read by 1 of 2");
    await marks.click();
    await expect(article.locator(".message-names")).toContainText("Ben");
    await expect(article.locator(".message-names")).toContainText("Cem");
  });

  await test.step("Cem, whose chat is closed, sees the number of unread messages until it is open", async () => {
    await expect(cem.chat.button).toHaveAccessibleName("Chat, 2 unread");
    await expect(cem.page).toHaveTitle(/^\(2\) /);
    await cem.chat.open();
    await expect(cem.chat.text).toBeFocused();
    await expect(cem.chat.button).toHaveAccessibleName("Chat");
    await expect(cem.page).not.toHaveTitle(/^\(/);
    await expect(ana.chat.message("Hello from Ana").marks).toContainText("read by 2 of 2");
  });

  await test.step("riders see who is typing", async () => {
    await ben.chat.text.pressSequentially("He");
    await expect(ana.chat.region.getByText("Ben is typing")).toBeVisible();
    await cem.chat.text.pressSequentially("He");
    await expect(ana.chat.region.getByText(/(Ben and Cem|Cem and Ben) are typing/)).toBeVisible();
    await ben.chat.text.fill("");
    await cem.chat.text.fill("");
    await expect(ana.chat.region.getByText(/typing/)).toBeHidden();
  });

  await test.step("an author edits and deletes a message, for everyone", async () => {
    await ana.chat.message("Hello from Ana").act("Edit");
    await expect(ana.chat.text).toHaveValue("Hello from Ana");
    await ana.chat.text.fill("Good morning");
    await ana.chat.text.press("Enter");
    await each([ana, ben, cem], ({ chat }) => expect(chat.message("Good morning").article).toContainText("edited"));
    await ben.chat.message("Hello from Ben").act("Delete");
    await each([ana, ben, cem], ({ chat }) => expect(chat.log.locator('[data-state="deleted"]')).toContainText("deleted"));
    await each([ana, ben, cem], ({ chat }) => expect(chat.texts()).toHaveText(["Good morning"]));
  });

  await test.step("riders react to a message, and take it back", async () => {
    await ben.chat.message("Good morning").act("Fire");
    const atAnas = ana.chat.message("Good morning").article.getByRole("button", { name: "Fire, 1: Ben" });
    await expect(atAnas).toHaveAttribute("aria-pressed", "false");
    await atAnas.click();
    const atCems = cem.chat.message("Good morning").article.getByRole("button", { name: /^Fire, 2: (Ana, Ben|Ben, Ana)$/ });
    await expect(atCems).toBeVisible();
    await ana.chat.message("Good morning").article.getByRole("button", { name: /^Fire, 2/ }).click();
    await expect(cem.chat.message("Good morning").article.getByRole("button", { name: "Fire, 1: Ben" })).toBeVisible();
  });

  await test.step("a late rider sees the history, and so does a rider who reloads the page", async () => {
    const dora = await newRider("Dora", 180);
    await dora.acceptInvitation(ana.invitation);
    await dora.expectLobby();
    await dora.chat.open();
    await expect(dora.chat.texts()).toHaveText(["Good morning"]);
    await expect(dora.chat.log.locator('[data-state="deleted"]')).toHaveCount(1);

    await ana.chat.say("Before the reload");
    await expect(ana.chat.message("Before the reload").marks).toContainText("delivered to 3 of 3");
    await ana.page.reload();
    await ana.expectLobby();
    await ana.chat.open();
    await expect(ana.chat.texts()).toHaveText(["Good morning", "Before the reload"]);
    await expect(ana.chat.message("Before the reload").article).toHaveAttribute("data-own", "true");
  });
});

test("a message for one rider is shown to these two riders only, and a rider can be hidden", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await gather(ana, ben, cem);
  await each([ana, ben, cem], ({ chat }) => chat.open());

  await ana.chat.action("Message Ben").click();
  await expect(ana.chat.tab("Ben")).toHaveAttribute("aria-selected", "true");
  await expect(ana.chat.text).toBeFocused();
  await ana.chat.say("Only for Ben");
  await expect(ana.chat.message("Only for Ben").article).toHaveAttribute("data-private", "true");
  await ana.chat.region.getByRole("group", { name: "React to Ben" }).getByRole("button", { name: "Fire" }).click();
  await expect(ben.chat.news).toHaveText("Ana: Fire to you");
  await expect(cem.chat.news).toHaveText("Ana: Fire to Ben");
  await ben.chat.tab("Ana").click();
  await expect(ben.chat.message("Only for Ben").article).toHaveAttribute("data-private", "true");
  await expect(ben.chat.message("Only for Ben").article).toContainText("private");
  await ben.chat.say("And for Ana");
  await expect(ana.chat.message("And for Ana").article).toHaveAttribute("data-private", "true");

  // What comes later on the same link would have arrived after it.
  await ana.chat.tab("Everyone").click();
  await ana.chat.say("For everyone");
  await expect(cem.chat.message("For everyone").article).toBeVisible();
  await expect(cem.chat.region.getByRole("tab")).toHaveCount(1);
  await expect(cem.page.getByText("Only for Ben")).toHaveCount(0);
  await expect(ana.chat.texts()).toHaveText(["For everyone"]);

  await test.step("Cem hides Ana in this browser, and shows her again", async () => {
    await cem.chat.action("Message Ana").click();
    await cem.chat.action("Hide Ana").click();
    await cem.chat.tab("Everyone").click();
    await expect(cem.chat.texts()).toHaveCount(0);
    await ana.chat.say("Unseen by Cem");
    await expect(ana.chat.message("Unseen by Cem").marks).toContainText("delivered to 2 of 2");
    await expect(cem.chat.texts()).toHaveCount(0);
    await cem.chat.tab("Ana").click();
    await cem.chat.action("Show Ana").click();
    await cem.chat.tab("Everyone").click();
    await expect(cem.chat.texts()).toHaveText(["For everyone", "Unseen by Cem"]);
  });
});

test("markup is shown as text, only addresses become links, and texts that are too long or too many stay in the box", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  await each([ana, ben], ({ chat }) => chat.open());

  const markup = `<img src=x onerror="document.title='taken over'"> **bold** &amp; <script>1</script>`;
  await ana.chat.say(markup);
  await expect(ben.chat.message(markup).article).toBeVisible();
  await expect(ben.chat.log.locator("img, script, b")).toHaveCount(0);
  expect(await ben.page.title()).not.toContain("taken over");

  const long = "ä😀".repeat(250);
  await ana.chat.text.fill(`${long}x`);
  await expect(ana.chat.region.getByText("501 of 500 characters")).toBeVisible();
  await ana.chat.send.click();
  await expect(ana.chat.alert).toContainText("1 to 500 characters");
  await expect(ana.chat.text).toHaveValue(`${long}x`);
  await ana.chat.say(long);
  await expect(ben.chat.texts().last()).toHaveText(long);

  await ana.chat.text.fill("Two lines:");
  await ana.chat.text.press("Shift+Enter");
  await ana.chat.text.pressSequentially("see https://ride.example/a?b=c, or javascript:alert(1)");
  await ana.chat.text.press("Enter");
  const link = ben.chat.texts().last().getByRole("link");
  await expect(link).toHaveCount(1);
  await expect(link).toHaveText("https://ride.example/a?b=c");
  await expect(link).toHaveAttribute("href", "https://ride.example/a?b=c");
  await expect(link).toHaveAttribute("rel", "noopener noreferrer");
  await expect(link).toHaveAttribute("target", "_blank");

  await test.step("a rider who writes too fast is told so, and keeps the text", async () => {
    await ana.chat.text.evaluate(writeTooFast);
    await expect(ana.chat.alert).toContainText("Slow down");
    await expect(ana.chat.text).toHaveValue("once more");
  });
});

test("without the server riders go on chatting over their direct links, and the host removes a message and switches the chat off", async ({ newRider, server, browserErrors }) => {
  browserErrors.allow(unreachable);
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  const all = [ana, ben, cem];
  await rideTogether(longRide, ana, ben, cem);
  await each(all, ({ ride, name }) => Promise.all(all.filter((other) => other.name !== name).map((other) => ride.card(other.name).expectLink("direct"))));
  await each(all, ({ chat }) => chat.open());
  await ben.chat.say("Before");
  await expect(cem.chat.message("Before").article).toBeVisible();

  await server.crash();
  await ben.chat.say("During");
  await expect(cem.chat.message("During").article).toBeVisible();
  await expect(ben.chat.message("During").marks).toContainText("delivered to 2 of 2");
  await server.restart();
  await expect(ana.page.getByText("Lost the server")).toBeHidden({ timeout: 40_000 });
  await each(all, ({ chat }) => expect(chat.texts()).toHaveText(["Before", "During"]));

  await ana.chat.message("During").act("Remove message");
  await each(all, ({ chat }) => expect(chat.log.locator('[data-state="removed"]')).toContainText("removed by the host"));
  await expect(ben.chat.action("Remove message")).toHaveCount(0);

  await (await ana.chat.setting(/Chat is on/)).click();
  await each(all, async ({ chat }) => {
    await expect(chat.region.getByText("The host has switched the chat off")).toBeVisible();
    await expect(chat.text).toBeDisabled();
  });
  await (await ana.chat.setting(/Chat is on/)).click();
  await each(all, ({ chat }) => expect(chat.text).toBeEnabled());
  await ben.chat.say("Back again");
  await expect(cem.chat.message("Back again").article).toBeVisible();

  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await each(all, ({ ride }) => expect(ride.summary).toBeVisible());
  await cem.chat.say("Well done");
  await expect(ana.chat.message("Well done").article).toBeVisible();
});

test("a rider who has left the group is told that nothing is sent, and keeps the text", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await ben.ride.leave.click();
  await expect(ben.ride.summary).toBeVisible();
  await ben.chat.open();
  await ben.chat.text.fill("Thank you all");
  await ben.chat.send.click();
  await expect(ben.chat.alert).toHaveText("Not sent: you are no longer in the group.");
  await expect(ben.chat.text).toHaveValue("Thank you all");
});

test("riders react to each other and to the group, see what the others do, and choose an avatar", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);

  await test.step("a key reacts to the group, over the rider's tile and for screen readers", async () => {
    await ben.page.keyboard.press("2");
    await expect(ana.ride.card("Ben").article.locator('[data-reaction="1"]')).toBeVisible();
    await expect(ana.chat.news).toHaveText("Ben: Fire");
    await expect(ana.ride.card("Ben").article.locator("[data-reaction]")).toBeHidden();
  });

  await test.step("a reaction to one rider is shown over that rider's tile", async () => {
    await ben.chat.action("React to Ana").click();
    await ben.ride.card("Ana").article.getByRole("button", { name: "Power" }).click();
    await expect(ben.chat.action("React to Ana")).toBeFocused();
    await expect(ana.ride.card("Ana").article.locator('[data-reaction="2"]')).toContainText("Ben");
    await expect(ana.chat.news).toHaveText("Ben: Power to you");
  });

  await test.step("keys do nothing while the rider types, and can be switched off", async () => {
    await ben.page.keyboard.press("/");
    await expect(ben.chat.text).toBeFocused();
    await ben.page.keyboard.type("1/2");
    await expect(ben.chat.text).toHaveValue("1/2");
    await ben.chat.text.fill("");
    await (await ben.chat.setting(/Keys/)).uncheck();
    await ben.page.keyboard.press("Escape");
    await expect(ben.chat.region).toBeHidden();
    await ben.page.keyboard.press("/");
    await ben.page.keyboard.press("1");
    await expect(ben.chat.region).toBeHidden();
    await expect(ana.chat.news).toHaveText("Ben: Power to you");
    await ben.chat.open();
    await (await ben.chat.setting(/Keys/)).check();
    await ben.chat.close();
  });

  await test.step("a message shows large for some seconds, where it covers no own numbers", async () => {
    await ben.chat.open();
    await ben.chat.say("Last climb, all together now");
    await expect(ana.chat.lines).toHaveText(/Ben.*Last climb, all together now/);
    for (const metric of ["power", "target", "interval-remaining", "cadence", "heart-rate"] as const) {
      expect(overlaps(await box(ana.chat.lines), await box(ana.ride.metric(metric))), metric).toBe(false);
    }
    await expect(ana.chat.lines).toBeHidden({ timeout: 15_000 });
  });

  await test.step("riders see that another one is paused", async () => {
    await expect(ana.ride.card("Ben").article.locator("[data-presence]")).toHaveText("riding");
    await ana.ride.pause.click();
    await expect(ana.ride.card("Ben").article.locator("[data-presence]")).toHaveText("paused");
  });

  await test.step("Ben chooses an emoji and then a picture, which Ana sees, and keeps it for later rides", async () => {
    await ben.chat.region.getByRole("button", { name: "Your avatar" }).click();
    await ben.chat.avatarDialog.getByRole("button", { name: "🚀" }).click();
    await ana.chat.open();
    const atAnas = ana.chat.message("Last climb, all together now").article.locator(".avatar");
    await expect(atAnas).toHaveText("🚀");
    await expect(ana.ride.card("Ben").article.locator(".avatar")).toHaveText("🚀");
    await ben.chat.avatarDialog.getByLabel("Picture").setInputFiles({ name: "a.txt", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await expect(ben.chat.avatarDialog.getByRole("alert")).toContainText("cannot read that picture");
    const picture = await largePicture(ben.page);
    await ben.chat.avatarDialog.getByLabel("Picture").setInputFiles({ name: "me.png", mimeType: "image/png", buffer: picture });
    const image = atAnas.locator("img");
    await expect.poll(() => image.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    expect(await image.evaluate((image: HTMLImageElement) => image.naturalWidth === image.naturalHeight)).toBe(true);
    await ben.chat.avatarDialog.getByRole("button", { name: "Close" }).click();
    const stored = await ben.page.evaluate(() => localStorage.getItem("gruppetto.chat.avatar") ?? "");
    expect(stored).toMatch(/^picture:/);
    expect(Buffer.from(stored.slice("picture:".length), "base64").length).toBeLessThanOrEqual(16 * 1024);
  });
});

test("the chat is used with the keyboard alone, and axe finds nothing in any of its states", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  const { page, chat } = ana;
  await expectAccessible(page, "lobby with the chat closed");

  await tabTo(page, chat.button);
  await page.keyboard.press("Enter");
  await expect(chat.text).toBeFocused();
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await expect(chat.text).toHaveValue("");
  await expectAccessible(page, "open chat");
  await page.keyboard.press("Escape");
  await expect(chat.text).not.toBeFocused();
  await page.keyboard.press("Escape");
  await expect(chat.region).toBeHidden();
  await expect(chat.button).toBeFocused();

  await page.keyboard.press("/");
  const actions = chat.message("By keyboard").article.getByRole("button", { name: "Actions" });
  await tabTo(page, actions, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expectAccessible(page, "actions of a message");
  await tabTo(page, chat.message("By keyboard").article.getByRole("button", { name: "Edit" }));
  await page.keyboard.press("Enter");
  await expect(chat.text).toBeFocused();
  await page.keyboard.type(" alone");
  await page.keyboard.press("Enter");
  await expect(chat.message("By keyboard alone").article).toContainText("edited");
  const { marks } = chat.message("By keyboard alone");
  await tabTo(page, marks, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expectAccessible(page, "names of the marks");

  await tabTo(page, chat.action("Message Ben"), "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(chat.text).toBeFocused();
  await page.keyboard.type("Psst");
  await page.keyboard.press("Enter");
  await expectAccessible(page, "private tab");
  await tabTo(page, chat.tab("Ben"), "Shift+Tab");
  await page.keyboard.press("ArrowLeft");
  await expect(chat.tab("Everyone")).toBeFocused();
  await expect(chat.message("By keyboard alone").article).toBeVisible();
  await chat.setting(/Keys/);
  await expectAccessible(page, "settings");
  await chat.region.getByRole("button", { name: "Your avatar" }).click();
  await expectAccessible(page, "avatar");
  await page.keyboard.press("Escape");
  await expect(chat.avatarDialog).toBeHidden();

  await ben.chat.open();
  await ben.chat.tab("Ana").click();
  await expectAccessible(ben.page, "a private message received");
  await ben.chat.action("React to Ana").click();
  await ben.ride.card("Ana").article.getByRole("button", { name: "Heart" }).click();
  await expectAccessible(page, "a reaction");
});

test("the chat leaves the own numbers visible on every screen, and stays at its end unless the reader has scrolled", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await ana.chat.open();
  for (const [width, height] of [[320, 568], [390, 844], [768, 1024], [844, 390], [1024, 768], [1280, 720], [1440, 900]] as const) {
    await test.step(`${width}x${height}`, async () => {
      await ana.page.setViewportSize({ width, height });
      for (const metric of ["power", "target"] as const) {
        expect(await isUncovered(ana.ride.metric(metric)), `${metric} at ${width}x${height}`).toBe(true);
      }
      await expect(ana.chat.text).toBeInViewport({ ratio: 1 });
      await expect(ana.chat.send).toBeInViewport({ ratio: 1 });
      const small = await ana.chat.region.getByRole("button").evaluateAll((buttons) =>
        buttons.map((button) => button.getBoundingClientRect()).filter(({ width, height }) => width < 47.5 || height < 47.5).length);
      expect(small, "buttons below 48 pixels").toBe(0);
    });
  }

  await test.step("on a touch screen, opening the chat leaves the keyboard closed", async () => {
    const dora = await newRider("Dora", 180, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await dora.acceptInvitation(ana.invitation);
    await expect(dora.ride.myRide).toBeVisible();
    await dora.chat.button.tap();
    await expect(dora.chat.region).toBeVisible();
    await expect(dora.chat.text).not.toBeFocused();
    await dora.page.close();
  });

  await ana.page.setViewportSize({ width: 390, height: 500 });
  await ben.chat.open();
  for (let number = 1; number <= 4; number += 1) await ben.chat.say(`Message ${number}\n\nof several lines`);
  await expect(ana.chat.texts().last()).toBeInViewport();
  await ana.chat.log.hover();
  await ana.page.mouse.wheel(0, -2_000);
  await expect(ana.chat.texts().last()).not.toBeInViewport();
  await ben.chat.say("The newest");
  await ana.chat.action("New messages").click();
  await expect(ana.chat.message("The newest").article).toBeInViewport();
  await expect(ana.chat.action("New messages")).toBeHidden();
});

type Box = { x: number; y: number; width: number; height: number };

async function box(locator: Locator): Promise<Box> {
  return (await locator.boundingBox())!;
}

function overlaps(one: Box, other: Box): boolean {
  const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return across > 0 && down > 0;
}

/** True if the element is on the screen and nothing lies on it. */
function isUncovered(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const { left, top, width, height } = range.getBoundingClientRect();
    return [0.25, 0.5, 0.75].every((part) => {
      const hit = document.elementFromPoint(left + part * width, top + part * height);
      return hit !== null && (element.contains(hit) || hit.contains(element));
    });
  });
}

/** Sends the same text so often at once that it is not sent any more. Runs in the page. */
function writeTooFast(field: Element): void {
  for (let sent = 0; sent < 40; sent += 1) {
    (field as HTMLTextAreaElement).value = "once more";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  }
}

/** A picture that is far larger than an avatar, and not square. */
async function largePicture(page: Page): Promise<Buffer> {
  const encoded = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1200, 700];
    const context = canvas.getContext("2d")!;
    for (let x = 0; x < canvas.width; x += 4) {
      for (let y = 0; y < canvas.height; y += 4) {
        context.fillStyle = `rgb(${Math.random() * 255} ${Math.random() * 255} ${Math.random() * 255})`;
        context.fillRect(x, y, 4, 4);
      }
    }
    return canvas.toDataURL("image/png").split(",")[1]!;
  });
  return Buffer.from(encoded, "base64");
}
