import { expectAccessible } from "../fixtures/accessibility.ts";
import { sidewaysProblems } from "../fixtures/layout.ts";
import { faces } from "../fixtures/faces.ts";
import { expect, test } from "../fixtures/test.ts";
import { file, fourSteps, zwo } from "../fixtures/workouts.ts";
import { WorkoutsPage } from "../pages/workouts_page.ts";

const hills = file("hills.erg", "[COURSE HEADER]\nFTP = 250\nMINUTES WATTS\n[END COURSE HEADER]\n[COURSE DATA]\n0 125\n5 125\n5 250\n9 250", "text/plain");
const shares = file("shares.mrc", "[COURSE HEADER]\nMINUTES PERCENT\n[END COURSE HEADER]\n[COURSE DATA]\n0 50\n10 75", "text/plain");
const json = file("json.json", JSON.stringify({ name: "From JSON", intervals: [{ duration: 300, percentage: 70 }] }), "application/json");
const broken = file("broken.zwo", "<workout_file>");

test("five files are imported at once, one of them broken, and they are there after a reload", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const workouts = new WorkoutsPage(ana.page);
  await ana.home.open();
  await ana.page.getByRole("link", { name: "Your workouts" }).click();
  await workouts.import(fourSteps, hills, broken, shares, json);
  await expect(workouts.results).toHaveText([
    /^workout\.zwo: Four Steps was added\./,
    /^hills\.erg: hills was added\./,
    /^broken\.zwo: .*no <workout> in this file/,
    /^shares\.mrc: shares was added\./,
    /^json\.json: From JSON was added\./,
  ]);
  const names = ["From JSON", "shares", "hills", "Four Steps"];
  await expect.poll(() => workouts.own()).toEqual(names);
  await ana.page.reload();
  await expect.poll(() => workouts.own()).toEqual(names);
  await workouts.import(fourSteps);
  await expect.poll(() => workouts.own(), "the same workout is kept once").toEqual(names);
});

test("workouts are marked, found by their marks, deleted and restored", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  await workouts.import(fourSteps, hills, json);
  const favourite = workouts.card("hills").getByRole("button", { name: "Favourite hills" });
  await favourite.click();
  await expect(favourite).toHaveAttribute("aria-pressed", "true");
  await expect(favourite).toBeFocused();
  await workouts.card("Four Steps").getByLabel("Tags").fill("winter, short");
  await workouts.card("Four Steps").getByLabel("Tags").press("Tab");

  await workouts.kind.selectOption("Favourites");
  await expect.poll(() => workouts.own()).toEqual(["hills"]);
  await workouts.kind.selectOption("# winter");
  await expect.poll(() => workouts.own()).toEqual(["Four Steps"]);
  await expect(workouts.list).toHaveCount(1);
  await workouts.kind.selectOption("My workouts");
  await expect(workouts.list).toHaveCount(3);

  await workouts.card("Four Steps").getByRole("button", { name: "Delete Four Steps" }).click();
  await expect.poll(() => workouts.own()).toEqual(["From JSON", "hills"]);
  await workouts.undo.click();
  await expect.poll(() => workouts.own()).toEqual(["From JSON", "hills", "Four Steps"]);
  await expect(workouts.card("Four Steps").getByLabel("Tags")).toHaveValue("winter, short");
  await workouts.card("From JSON").getByRole("button", { name: "Delete From JSON" }).click();
  await ana.page.reload();
  await expect.poll(() => workouts.own()).toEqual(["hills", "Four Steps"]);
});

test("a workout goes out in every format, and the library goes out and into another browser", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  await workouts.import(fourSteps, hills);
  await workouts.card("hills").getByRole("button", { name: "Favourite hills" }).click();
  for (const [format, start] of [["zwo", "<?xml"], ["erg", "[COURSE HEADER]"], ["mrc", "[COURSE HEADER]"], ["json", "{"]] as const) {
    const card = workouts.card("Four Steps");
    await card.getByLabel("Format for Four Steps").selectOption(format);
    const { name, content } = await workouts.download(() => card.getByRole("button", { name: "Export Four Steps" }).click());
    expect(name).toBe(`Four-Steps.${format}`);
    expect(content.startsWith(start)).toBe(true);
  }
  const library = await workouts.download(() => ana.page.getByRole("button", { name: "Export library" }).click());

  const other = new WorkoutsPage(ben.page);
  await other.open();
  await other.import(file(library.name, library.content, "application/json"));
  await expect(other.results).toHaveText(/2 of 2 workouts were added\./);
  await expect.poll(() => other.own()).toEqual(["hills", "Four Steps"]);
  await expect(other.card("hills").getByRole("button", { name: "Favourite hills" })).toHaveAttribute("aria-pressed", "true");
});

test("an own workout can be shared into a ride", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  await workouts.import(zwo("My Own", `<SteadyState Duration="600" Power="0.6"/>`));
  await expect.poll(() => workouts.own()).toEqual(["My Own"]);
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ana.ride.choose.click();
  await ana.ride.chooser.getByRole("button", { name: "Ride My Own" }).click();
  await expect(ben.ride.heading("My Own")).toBeVisible();
});

test("a link holds a workout, which another browser shows and keeps", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { permissions: ["clipboard-read", "clipboard-write"] });
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  await workouts.card("Sweet spot 3 × 12").getByRole("button", { name: "Copy link Sweet spot 3 × 12" }).click();
  await expect(ana.page.getByText("The link is copied.")).toBeVisible();
  const link = await ana.page.evaluate(() => navigator.clipboard.readText());
  expect(link.length).toBeLessThan(2_000);

  const ben = await newRider("Ben", 250);
  const requests: string[] = [];
  ben.page.on("request", (request) => requests.push(request.url()));
  await ben.page.goto(link);
  const other = new WorkoutsPage(ben.page);
  const offer = ben.page.getByRole("status").filter({ has: ben.page.getByRole("button", { name: "Keep this workout" }) });
  await expect(offer.getByRole("heading", { name: "Sweet spot 3 × 12" })).toBeVisible();
  expect(requests.filter((url) => url.includes("w="))).toEqual([]);
  expect(await other.own()).toEqual([]);
  await offer.getByRole("button", { name: "Keep this workout" }).click();
  await expect.poll(() => other.own()).toEqual(["Sweet spot 3 × 12"]);
  expect(new URL(ben.page.url()).hash).toBe("");

  await ben.page.goto(`${link.slice(0, -20)}`);
  await ben.page.reload();
  await expect(ben.page.getByText("This link holds no workout that can be read.")).toBeVisible();
});

test("a browser that stores nothing says so, and the workouts can still be exported", async ({ newRider }) => {
  const refuse = () => {
    indexedDB.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
  };
  const ana = await newRider("Ana", 200, { before: refuse });
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  await workouts.import(fourSteps);
  await expect(ana.page.getByRole("alert")).toHaveText(/does not store your workouts/);
  const { content } = await workouts.download(() => ana.page.getByRole("button", { name: "Export library" }).click());
  expect(content).toContain("Four Steps");
});

test("the page of the workouts is accessible, and runs off no phone", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  await workouts.import(fourSteps, broken);
  await expectAccessible(ana.page, "library");
  await ana.page.setViewportSize({ width: 320, height: 568 });
  const problems = await sidewaysProblems(ana.page, faces.flatMap((face) => [100, 200].map((textPercent) => ({ face, textPercent }))));
  expect(problems.join("\n")).toBe("");
});

test("of a large library sixty workouts are drawn, and more with a tap", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const workouts = new WorkoutsPage(ana.page);
  await workouts.open();
  const builtIn = await workouts.list.count();
  const many = Array.from({ length: 80 }, (_, index) => zwo(`Ride ${index}`, `<SteadyState Duration="${600 + index}" Power="0.6"/>`));
  await workouts.import(...many);
  await expect(ana.page.getByText(`${builtIn + 80} workouts`)).toBeVisible();
  await expect(workouts.list).toHaveCount(60);
  const more = ana.page.getByRole("button", { name: "Show more" });
  await more.click();
  await expect(workouts.list).toHaveCount(builtIn + 80);
  await expect(more).toBeHidden();
});
