import { settle } from "../../test/support/manual-clock.js";

/** Heap in use once all garbage is gone. @throws Error without --expose-gc */
export async function heapInUse(): Promise<number> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("node runs without --expose-gc");
  for (let turn = 0; turn < 3; turn++) {
    await settle();
    await collect();
  }
  return process.memoryUsage().heapUsed;
}
