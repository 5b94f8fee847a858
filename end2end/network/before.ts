import { forget } from "./fixtures/measured.ts";

/** Nothing of an earlier run is reported. */
export default forget;
