/** How much of everything is measured. */
export type Amount = {
  /** Riders of a crowd. */
  crowds: number[];
  /** Rides that a crowd starts. */
  rides: number;
  /** How often, before each of them, the last rider joins anew. */
  joins: number;
  /** For how long the traffic of a ride is looked at, in seconds. */
  seconds: number;
};

/** Whether this is only to see that it works. */
export const quick = Boolean(process.env.BENCH_QUICK);

const all: Amount = { crowds: [2, 4, 8, 12], rides: 5, joins: 5, seconds: 10 };
const little: Amount = { crowds: [2, 4], rides: 1, joins: 2, seconds: 3 };

export const amount: Amount = quick ? little : all;

/** Who rides, in the order of coming. */
export const names = ["Ana", "Ben", "Cem", "Dora", "Eva", "Finn", "Gil", "Hugo", "Ida", "Jan", "Kim", "Lea"];
