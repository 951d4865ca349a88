export { type Hardened, type HardenOptions, harden } from "./harden.js";
export { type StubClass, stubFor } from "./stub-for.js";
