import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "../fixtures/tunnel.ts";
import { file, pictures, sha256 } from "../fixtures/tunnel_site.ts";
import type { TunnelPage } from "../pages/tunnel_page.ts";

// Servers of other tests run beside this one.
test.use({ settings: { GRUPPETTO_TUNNEL_ADDR: "127.0.0.1:0" } });

const noWebRtc = () => {
  Reflect.deleteProperty(window, "RTCPeerConnection");
};

/** Number of pictures of the page that are shown. */
async function shownPictures(visitor: TunnelPage): Promise<number> {
  const frame = await visitor.frame();
  return frame.evaluate(() => [...document.images].filter((image) => image.naturalWidth === 20).length);
}

for (const { way, options } of [
  { way: "direct" as const, options: {} },
  { way: "relayed" as const, options: { before: noWebRtc } },
]) {
  test(`a shared page is shown ${way === "direct" ? "over a direct connection" : "through the server"}`, async ({ peer, newVisitor }) => {
    const visitor = await newVisitor(options);
    const { page } = visitor;
    await visitor.open(peer.link, "Route videos");
    await visitor.expectWay(way);

    await test.step("with its pictures, and a title and an address without the token", async () => {
      await expect.poll(() => shownPictures(visitor)).toBe(pictures);
      await expect(page).toHaveTitle("Route videos");
      await expect(page).toHaveURL(`${peer.origin}/`);
    });

    await test.step("links, reload and the history work", async () => {
      await visitor.shared.getByRole("link", { name: "Second page" }).click();
      await expect(visitor.heading).toHaveText("Second page");
      await expect(page).toHaveURL(`${peer.origin}/second?climb=1#top`);
      await page.goBack();
      await expect(visitor.heading).toHaveText("Route videos");
      await expect(page).toHaveURL(`${peer.origin}/`);
      await page.goForward();
      await expect(visitor.heading).toHaveText("Second page");
      await page.reload();
      await expect(visitor.heading).toHaveText("Second page");
    });
  });

  test(`files, forms, events and cancellation work ${way}`, async ({ peer, site, newVisitor }) => {
    const visitor = await newVisitor(options);
    await visitor.open(peer.link, "Route videos");
    await visitor.expectWay(way);
    const frame = await visitor.frame();

    await test.step("a file arrives as it is, and its bytes took this way", async () => {
      const digest = await frame.evaluate(async () => {
        const bytes = await (await fetch("/file")).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      });
      expect(digest).toBe(sha256(file));
      await expect.poll(() => visitor.bytes(way === "direct" ? "directly" : "by the server")).toBeGreaterThanOrEqual(file.length);
      expect(await visitor.bytes(way === "direct" ? "by the server" : "directly")).toBeLessThan(100_000);
    });

    await test.step("ranges, HEAD and empty responses", async () => {
      const answers = await frame.evaluate(async () => {
        const range = await fetch("/file", { headers: { range: "bytes=100-199" } });
        const head = await fetch("/file", { method: "HEAD" });
        const empty = await fetch("/empty");
        return [
          [range.status, range.headers.get("content-range"), (await range.arrayBuffer()).byteLength],
          [head.status, head.headers.get("content-length"), await head.text()],
          [empty.status, await empty.text()],
        ];
      });
      expect(answers).toEqual([[206, "bytes 100-199/5000000", 100], [200, "5000000", ""], [204, ""]]);
    });

    await test.step("an upload by a script and by a form", async () => {
      const answer = await frame.evaluate(async () => (await fetch("/upload", { method: "PUT", body: new Uint8Array(3_000_000).fill(7) })).json());
      expect(answer).toMatchObject({ method: "PUT", bytes: 3_000_000, hash: sha256(new Uint8Array(3_000_000).fill(7)) });
      await visitor.shared.getByLabel("Ride").setInputFiles({ name: "ride.fit", mimeType: "application/octet-stream", buffer: file.subarray(0, 1_000_000) });
      await visitor.shared.getByRole("button", { name: "Send" }).click();
      await expect(visitor.shared.locator("body")).toContainText('"method":"POST"');
      await visitor.page.goBack();
      await expect(visitor.heading).toHaveText("Route videos");
    });

    await test.step("server-sent events come one by one", async () => {
      const events = await frame.evaluate(() => new Promise((resolve) => {
        const received: string[] = [];
        const source = new EventSource("/events");
        source.onmessage = ({ data }) => {
          received.push(data);
          if (received.length < 3) return;
          source.close();
          resolve(received);
        };
      }));
      expect(events).toEqual(["1", "2", "3"]);
      await expect.poll(() => site.cancelled).toContain("GET /events");
    });

    await test.step("a cancelled request ends at the site", async () => {
      await frame.evaluate(async () => {
        const controller = new AbortController();
        const { body } = await fetch("/endless", { signal: controller.signal });
        const reader = body!.getReader();
        for (let read = 0; read < 10; read++) await reader.read();
        controller.abort();
      });
      await expect.poll(() => site.cancelled).toContain("GET /endless");
    });

    await test.step("150 requests at once", async () => {
      const statuses = await frame.evaluate(() => Promise.all(Array.from({ length: 150 }, async (_, at) => (await fetch(`/pictures/${at}.svg`)).status)));
      expect(statuses).toEqual(Array.from({ length: 150 }, () => 200));
    });
  });

  test(`WebSockets, cookies and redirects work ${way}`, async ({ peer, newVisitor }) => {
    const visitor = await newVisitor(options);
    await visitor.open(peer.link, "Route videos");
    await visitor.expectWay(way);
    const frame = await visitor.frame();

    await test.step("a WebSocket carries text and bytes both ways, and the code of its end", async () => {
      const log = await frame.evaluate(() => new Promise((resolve) => {
        const log: unknown[] = [];
        const socket = new WebSocket("/echo", ["other", "echo"]);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => {
          log.push(socket.protocol);
          socket.send("Grüße");
          socket.send(new Uint8Array(200_000));
          log.push(socket.bufferedAmount);
        };
        socket.onmessage = ({ data }) => {
          log.push(typeof data === "string" ? data : data.byteLength);
          if (data.byteLength) socket.send("close");
        };
        socket.onclose = ({ code, reason, wasClean }) => resolve([...log, code, reason, wasClean, socket.readyState]);
      }));
      expect(log).toEqual(["echo", 200_007, "Grüße", 200_000, 4001, "asked to", true, 3]);
    });

    await test.step("a WebSocket that the page closes", async () => {
      const closed = await frame.evaluate(() => new Promise((resolve) => {
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/echo`);
        socket.onopen = () => socket.close(3001, "done");
        socket.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
      }));
      expect(closed).toEqual([3001, "done", true]);
    });

    await test.step("cookies reach the site, those for HTTP alone are hidden from scripts", async () => {
      const seen = await frame.evaluate(async () => {
        const { url } = await fetch("/login", { method: "POST", body: "name=Ana" });
        document.cookie = "theme=light; path=/";
        document.cookie = "units=km; path=/";
        const account = await (await fetch("/account")).text();
        return { path: new URL(url).pathname, cookie: document.cookie, account };
      });
      expect(seen).toMatchObject({ path: "/account", cookie: "theme=light; units=km" });
      expect(seen.account).toContain("session=secret; theme=light; units=km");
    });

    await test.step("and stay after a reload", async () => {
      await visitor.page.goto(`${peer.origin}/account`);
      await expect(visitor.shared.locator("#cookie")).toHaveText("session=secret; theme=light; units=km");
    });

    await test.step("a redirect moves the page and the address", async () => {
      await visitor.page.goto(`${peer.origin}/redirect`);
      await expect(visitor.heading).toHaveText("Second page");
      await expect(visitor.page).toHaveURL(`${peer.origin}/second?redirected=1`);
    });
  });
}

test("a site that forbids frames and inline scripts, and one with a worker of its own", async ({ peer, newVisitor }) => {
  const visitor = await newVisitor();
  await visitor.open(`${peer.origin}/strict#${peer.token}`, "Strict page");
  await expect(visitor.shared.locator("#result")).toHaveText("replaced");
  await visitor.open(`${peer.origin}/worker`, "Page with a worker");
  await expect(visitor.page).toHaveTitle("SecurityError");
  await expect(visitor.status).toContainText("The page's own service worker is not used");
});

test("with a wrong link the site sees nothing", async ({ peer, site, newVisitor, browserErrors }) => {
  browserErrors.allow(/403/);
  const { page } = await newVisitor();
  await page.goto(`${peer.origin}/#${"a".repeat(32)}`);
  await expect(page.getByRole("heading")).toHaveText("This link is not valid");
  await page.goto(`${peer.origin}/`);
  await expect(page.getByRole("heading")).toHaveText("This link is incomplete");
  expect(site.requests).toEqual([]);
});

test("without service workers the server passes the page on", async ({ peer, site, newVisitor }) => {
  const visitor = await newVisitor({ serviceWorkers: "block" });
  await visitor.open(peer.link, "Route videos");
  await visitor.expectWay("relayed");
  await expect.poll(() => shownPictures(visitor)).toBe(pictures);
  const frame = await visitor.frame();
  const echo = await frame.evaluate(() => new Promise((resolve) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/echo`);
    socket.onopen = () => socket.send("Hello");
    socket.onmessage = ({ data }) => resolve(data);
  }));
  expect(echo).toBe("Hello");
  expect(site.requests).toContain("WebSocket /echo");
});

test("a page goes on when its program starts again", async ({ peer, newVisitor, browserErrors }) => {
  browserErrors.allow(/50[234]/);
  const visitor = await newVisitor();
  await visitor.open(peer.link, "Route videos");
  await visitor.expectWay("direct");
  await peer.crash();
  await visitor.expectWay("offline");
  await peer.restart();
  await visitor.expectWay("direct");
  await visitor.shared.getByRole("link", { name: "Second page" }).click();
  await expect(visitor.heading).toHaveText("Second page");
});

test("a page goes on over the direct connection when the server is gone", async ({ peer, server, newVisitor, browserErrors }) => {
  browserErrors.allow(/ERR_CONNECTION_REFUSED|socket/);
  const visitor = await newVisitor();
  await visitor.open(peer.link, "Route videos");
  await visitor.expectWay("direct");
  await server.crash();
  try {
    await visitor.shared.getByRole("link", { name: "Second page" }).click();
    await expect(visitor.heading).toHaveText("Second page");
    await visitor.expectWay("direct");
  } finally {
    await server.restart();
  }
});

test("the shell fits a small phone, and its bar collapses", async ({ peer, newVisitor }) => {
  const visitor = await newVisitor({ viewport: { width: 320, height: 568 } });
  const { page } = visitor;
  await visitor.open(peer.link, "Route videos");
  await visitor.expectWay("direct");
  expect(await visitor.detail("Direct connections")).toBe("1");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  // The heading is in the frame.
  const { violations } = await new AxeBuilder({ page }).exclude("iframe").disableRules("page-has-heading-one").analyze();
  expect(violations).toEqual([]);
  const bar = page.getByRole("button", { name: "Status bar" });
  const { width, height } = (await bar.boundingBox())!;
  expect(Math.min(width, height)).toBeGreaterThanOrEqual(48);
  await bar.click();
  await expect(bar).toHaveAttribute("aria-expanded", "false");
  await expect(page.getByRole("button", { name: "Details" })).toBeHidden();
  await expect(visitor.status).toHaveAttribute("data-way", "direct");
});
