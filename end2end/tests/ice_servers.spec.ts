import { expect, test } from "../fixtures/test.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { gather } from "../pages/rider.ts";

// Addresses for documentation (RFC 5737), where nothing answers.
test.use({ settings: { GRUPPETTO_ICE_SERVERS: "stun:192.0.2.1:3478,stun:192.0.2.2:3478" } });

/** A browser that refuses one of the servers, and with it every list that contains it. */
function refuseOneServer(): void {
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      const urls = (configuration?.iceServers ?? []).flatMap((server) => server.urls);
      if (urls.includes("stun:192.0.2.1:3478")) throw new SyntaxError("This server is refused.");
      super(configuration);
    }
  };
}

/** A browser that refuses every connection. */
function refuseConnections(): void {
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor() {
      throw new DOMException("Connections are disabled.", "NotAllowedError");
      super();
    }
  };
}

test("a server that the browser refuses is left out and named, and direct links work with the others", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: refuseOneServer });
  const ben = await newRider("Ben", 250);
  const warning = ana.page.waitForEvent("console", (message) => message.text().includes("stun:192.0.2.1:3478"));
  await gather(ana, ben);
  await ana.ride.card("Ben").expectLink("direct");
  expect((await warning).text()).toContain("This server is refused.");

  const panel = new ConnectionPanel(ana.page);
  await panel.open();
  await expect(panel.directLinks).toContainText("Direct links may not be possible everywhere");
  await expect(panel.directLinks).toContainText("stun:192.0.2.1:3478");
  await expect(panel.directLinks).not.toContainText("192.0.2.2");
  const other = new ConnectionPanel(ben.page);
  await other.open();
  await expect(other.linkValue("Ana", "link")).toHaveText("direct");
  await expect(other.directLinks).toBeHidden();
});

test("a browser that refuses all connections rides over the server, and the panel says why", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: refuseConnections });
  const ben = await newRider("Ben", 250);
  await gather(ana, ben);
  await ana.ride.card("Ben").expectLink("relayed");
  const panel = new ConnectionPanel(ana.page);
  await panel.open();
  await expect(panel.directLinks).toContainText("Direct links are not possible");
  await expect(panel.directLinks).toContainText("Connections are disabled.");
});

test("the browser accepts the kinds of URLs that the server accepts in its settings", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.home.open();
  const refused = await ana.page.evaluate(() => {
    const urls = [
      "stun:a.example",
      "stun:192.0.2.1:19302",
      "stuns:a.example.",
      "turn:[2001:db8::1]:80",
      "turn:a?transport=udp",
      "turn:a:443?transport=tcp",
      "turns:a_b-c:65535?transport=tcp",
      "turns:[::1]?transport=udp",
    ];
    return urls.filter((url) => {
      try {
        new RTCPeerConnection({ iceServers: [{ urls: [url], username: "u".repeat(508), credential: "c" }] }).close();
        return false;
      } catch {
        return true;
      }
    });
  });
  expect(refused).toEqual([]);
});
