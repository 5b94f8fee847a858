/** Size of a benchmark run. */
export type Parameters = {
  /** Group sizes, in riders. */
  groups: number[];
  /** Rides per group. */
  rides: number;
  /** How often the last rider joins before each ride, each time as a new rider. */
  joins: number;
  /** Time for which the traffic of a ride is measured, in seconds. */
  seconds: number;
};

/** True for a short run that only checks that the benchmark works. */
export const quick = Boolean(process.env.BENCH_QUICK);

const full: Parameters = { groups: [2, 4, 8, 12], rides: 5, joins: 5, seconds: 10 };
const short: Parameters = { groups: [2, 4], rides: 1, joins: 2, seconds: 3 };

export const parameters: Parameters = quick ? short : full;

/** Names of the riders in the order of joining. */
export const names = ["Ana", "Ben", "Cem", "Dora", "Eva", "Finn", "Gil", "Hugo", "Ida", "Jan", "Kim", "Lea"];
