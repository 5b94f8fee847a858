import { forget } from "./figures.ts";

/** Nothing of an earlier run is reported. */
export default forget;
