import { disableWebRtc } from "../fixtures/probes.ts";
import { expect, test } from "../fixtures/test.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { gather } from "../pages/rider.ts";

test("the connection panel shows state, round trip, clock error and data age of each link", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const cem = await newRider("Cem", 320, { before: disableWebRtc });
  await gather(ana, ben, cem);
  await ana.ride.card("Ben").expectLink("direct");
  await ana.ride.card("Cem").expectLink("relayed");

  const panel = new ConnectionPanel(ana.page);
  await panel.open();
  await expect(panel.dialog).toContainText("Connected to the server");
  await expect(panel.linkValue("Ben", "link")).toHaveText("direct");
  await expect(panel.linkValue("Cem", "link")).toHaveText("relayed");
  for (const rider of ["Ben", "Cem"]) {
    await expect(panel.linkValue(rider, "round-trip")).toHaveText(/^\d+ ms$/);
    await expect(panel.linkValue(rider, "clock-error")).toHaveText(/^± \d+\.\d ms$/);
    await expect(panel.linkValue(rider, "age")).toHaveText(/^[01]\.\d s$/);
  }
  await expect(panel.linkValue("Ben", "candidate")).toHaveText(/^(host|prflx) – (host|prflx)$/);
  await expect(panel.linkValue("Cem", "candidate")).toHaveText("–");
  await expect(panel.total("successes")).toHaveText(/^[1-9]/);
  await expect(panel.total("connect-time")).toHaveText(/^\d+\.\d s$/);
  await expect(panel.total("fallbacks")).toHaveText("0");
  await expect(panel.total("direct-round-trip")).toHaveText(/^\d+ ms$/);
  await expect(panel.total("relayed-round-trip")).toHaveText(/^\d+ ms$/);
  // On one machine a path runs between own addresses, or one that the other browser has seen.
  const direct = panel.dialog.locator("tr[data-candidate]:is([data-candidate=host], [data-candidate=prflx])");
  await expect(direct).toHaveCount(1);
  await expect(direct.locator('[data-fact="became-direct"]')).toHaveText("1");
  await expect(panel.attempts("relay", "ended")).toHaveCount(0);

  const sent = await panel.total("bytes-sent").innerText();
  await expect(panel.total("bytes-sent")).not.toHaveText(sent);
  await panel.close();
  await expect(panel.dialog).toBeHidden();
});
