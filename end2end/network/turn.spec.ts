import { credentials } from "./fixtures/coturn.ts";
import { SERVER_ADDRESS, SERVER_ADDRESS_6 } from "./fixtures/network.ts";
import { expect, test } from "./fixtures/test.ts";

/** "Forbidden" (RFC 8656, section 19). */
const FORBIDDEN = 403;
/** "Unauthorized". */
const UNAUTHORIZED = 401;

test("the TURN server accepts credentials made from the shared secret until they expire", async ({ coturn }) => {
  expect(coturn.permissions("ipv4", []).allocation).toBe(0);
  const hourAgo = Date.now() / 1_000 - 3_600;
  expect(coturn.permissions("ipv4", [], credentials(hourAgo)).allocation).toBe(UNAUTHORIZED);
  expect(coturn.permissions("ipv4", [], credentials(undefined, "another secret")).allocation).toBe(UNAUTHORIZED);
});

test("the TURN server refuses peers on its own machine, in private networks and in reserved ranges", async ({ coturn }) => {
  const refusedPeers = {
    loopback: ["127.0.0.1", "127.255.255.254", "0.0.0.0"],
    "link-local": ["169.254.169.254", "169.254.0.1"],
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1"],
    reserved: ["192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
  };
  for (const [range, peers] of Object.entries(refusedPeers)) {
    const { allocation, peers: answers } = coturn.permissions("ipv4", peers);
    expect(allocation).toBe(0);
    expect(answers, range).toEqual(Object.fromEntries(peers.map((peer) => [peer, FORBIDDEN])));
  }
  expect(coturn.permissions("ipv4", [SERVER_ADDRESS, "1.1.1.1"]).peers).toEqual({ [SERVER_ADDRESS]: 0, "1.1.1.1": 0 });
});

test("the TURN server refuses the same ranges as IPv6 addresses", async ({ coturn }) => {
  const refusedPeers = {
    loopback: ["::1", "::"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:1.1.1.1"],
    "IPv4-compatible and translated": ["::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::"],
    "link-local and private": ["fe80::1", "fec0::1", "fc00::1", "fd12:3456::1"],
    multicast: ["ff02::1"],
  };
  for (const [range, peers] of Object.entries(refusedPeers)) {
    const { allocation, peers: answers } = coturn.permissions("ipv6", peers);
    expect(allocation).toBe(0);
    expect(answers, range).toEqual(Object.fromEntries(peers.map((peer) => [peer, FORBIDDEN])));
  }
  const allowed = [SERVER_ADDRESS_6, "2606:4700:4700::1111"];
  expect(coturn.permissions("ipv6", allowed).peers).toEqual(Object.fromEntries(allowed.map((peer) => [peer, 0])));
});
