import { type Help, type MeasuredLink, type Partner } from "./fixtures/matrix.ts";
import { ACCESSES, type Access } from "./fixtures/network.ts";

const ways: readonly (readonly [Partner, Help])[] = [["browser", "STUN"], ["browser", "TURN"], ["native peer", "STUN"], ["native peer", "TURN"]];

/** Shares of the kinds of access among all riders, from published measurements. */
const distributions: { name: string; shares: Partial<Record<Access, number>> }[] = [
  { name: "NATs of 2005, UDP blocked for 5 %", shares: { "port-restricted": 0.95 * 0.82, symmetric: 0.95 * 0.18, "UDP blocked": 0.05 } },
  { name: "NATs of 2005, UDP never blocked", shares: { "port-restricted": 0.82, symmetric: 0.18 } },
  { name: "all five kinds alike", shares: Object.fromEntries(ACCESSES.map((access) => [access, 1 / ACCESSES.length])) },
];

/** Tables of all measured links. */
export function matrixTables(all: MeasuredLink[]): string {
  if (all.length === 0) return "";
  const grids = ways.map(([partner, help]) => {
    const links = all.filter((link) => link.partner === partner && link.help === help);
    const sides = partner === "browser" ? "Two browsers" : "A browser (rows) and a native peer (columns)";
    return `${sides}, with ${help}: time to the direct link.\n\n${grid(links)}`;
  });
  return [...grids, summary(all), rates(all)].join("\n\n");
}

/** Median time to the direct link, for each pair of accesses. Two browsers are one pair, whoever was there first. */
function grid(links: MeasuredLink[]): string {
  const areBrowsers = links.some(({ partner }) => partner === "browser");
  const cell = (own: Access, other: Access) => {
    const these = links.filter(({ accesses: [a, b] }) => (a === own && b === other) || (areBrowsers && a === other && b === own));
    if (these.length === 0) return "–";
    const direct = these.flatMap(({ direct }) => direct ?? []);
    if (direct.length === 0) return "relayed";
    const share = direct.length === these.length ? "" : ` (${direct.length} of ${these.length})`;
    return `${seconds(quantile(direct, 0.5))}${share}`;
  };
  return markdown(["", ...ACCESSES], ACCESSES.map((own) => [own, ...ACCESSES.map((other) => cell(own, other))]));
}

function summary(all: MeasuredLink[]): string {
  const heads = ["", "links", "direct", "connect p50", "connect p95", "fallback p50", "fallback p95", "numbers arrived", "older than 3 s"];
  const rows = ways.map(([partner, help]) => {
    const links = all.filter((link) => link.partner === partner && link.help === help);
    const connect = links.flatMap(({ direct }) => direct ?? []);
    const fallback = links.flatMap(({ fallback }) => fallback ?? []);
    const arrived = links.filter(({ numbers }) => Number.isFinite(numbers)).length;
    const times = [connect, fallback].flatMap((values) => [0.5, 0.95].map((share) => seconds(quantile(values, share))));
    const stale = links.reduce((sum, { staleTimes }) => sum + staleTimes, 0);
    return [`browser to ${partner}, ${help}`, links.length, connect.length, ...times, `${arrived} of ${links.length}`, `${stale} times`];
  });
  return markdown(heads, rows);
}

/** Share of pairs of riders who link directly, if their accesses are distributed in this way. */
function rates(all: MeasuredLink[]): string {
  const rows = distributions.map(({ name, shares }) => [name, ...ways.map(([partner, help]) => percent(rate(all, partner, help, shares)))]);
  return markdown(["direct", ...ways.map(([partner, help]) => `browser to ${partner}, ${help}`)], rows);
}

function rate(all: MeasuredLink[], partner: Partner, help: Help, shares: Partial<Record<Access, number>>): number {
  const links = all.filter((link) => link.partner === partner && link.help === help);
  let sum = 0;
  for (const own of ACCESSES) {
    for (const other of ACCESSES) {
      const isPair = ({ accesses: [a, b] }: MeasuredLink) => (a === own && b === other) || (partner === "browser" && a === other && b === own);
      const these = links.filter(isPair);
      const direct = these.filter(({ direct }) => direct !== null).length;
      const share = these.length > 0 ? direct / these.length : Number.NaN;
      sum += (shares[own] ?? 0) * (shares[other] ?? 0) * share;
    }
  }
  return sum;
}

function markdown(heads: string[], rows: (string | number)[][]): string {
  return [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Smallest value that this share of all values does not exceed. */
function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

function seconds(milliseconds: number): string {
  return Number.isFinite(milliseconds) ? `${(milliseconds / 1_000).toFixed(1)} s` : "–";
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : "–";
}
