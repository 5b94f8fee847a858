import { withoutDirectLinks } from "../fixtures/probes.ts";
import { expect, test } from "../fixtures/test.ts";
import { Panel } from "../pages/panel.ts";
import { gather } from "../pages/rider.ts";

test("the connection panel says how each rider is reached, and how well", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  const cem = await enter("Cem", 320, { before: withoutDirectLinks });
  await gather(ana, ben, cem);
  await ana.ride.card("Ben").expectLink("direct");
  await ana.ride.card("Cem").expectLink("relayed");

  const panel = new Panel(ana.page);
  await panel.open();
  await expect(panel.dialog).toContainText("Connected to the server");
  await expect(panel.of("Ben", "link")).toHaveText("direct");
  await expect(panel.of("Cem", "link")).toHaveText("relayed");
  for (const rider of ["Ben", "Cem"]) {
    await expect(panel.of(rider, "round-trip")).toHaveText(/^\d+ ms$/);
    await expect(panel.of(rider, "clock-error")).toHaveText(/^± \d+\.\d ms$/);
    await expect(panel.of(rider, "age")).toHaveText(/^[01]\.\d s$/);
  }
  await expect(panel.of("Ben", "candidate")).toHaveText(/^(host|prflx) – (host|prflx)$/);
  await expect(panel.of("Cem", "candidate")).toHaveText("–");
  await expect(panel.total("successes")).toHaveText(/^[1-9]/);
  await expect(panel.total("connect-time")).toHaveText(/^\d+\.\d s$/);
  await expect(panel.total("fallbacks")).toHaveText("0");

  const sent = await panel.total("bytes-sent").innerText();
  await expect(panel.total("bytes-sent")).not.toHaveText(sent);
  await panel.close();
  await expect(panel.dialog).toBeHidden();
});
