import { GCProfiler } from "node:v8";

/** What one slice cost per call. */
export interface Cost {
  /** User and system CPU time of this process, its garbage collection and compilation included, in microseconds. */
  readonly cpuMicros: number;
  readonly wallMicros: number;
}

/** Young garbage of the slice before is not this slice's. A full collection would also age compiled code. */
function collectYoung(): void {
  globalThis.gc?.({ type: "minor" });
}

export async function measureCost(calls: number, run: () => Promise<void>): Promise<Cost> {
  collectYoung();
  const startedAt = process.hrtime.bigint();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  const wallNanos = Number(process.hrtime.bigint() - startedAt);
  return { cpuMicros: (user + system) / calls, wallMicros: wallNanos / 1_000 / calls };
}

/**
 * Bytes of JavaScript heap that one call allocates. `heapUsed` alone tells this only while no collection comes between,
 * and the young generation of a plain `node` holds a few hundred calls. So V8 reports the heap before and after each
 * collection, and what was allocated is the sum of the growths between them: exact for an object of known size, see
 * `allocationErrorPercent`. Buffers' contents live outside this heap and are not counted.
 */
export async function measureHeapBytes(calls: number, run: () => Promise<void>): Promise<number> {
  const profiler = new GCProfiler();
  collectYoung();
  profiler.start();
  let from = process.memoryUsage().heapUsed;
  await run();
  const end = process.memoryUsage().heapUsed;
  const { statistics } = profiler.stop();
  let bytes = 0;
  for (const { beforeGC, afterGC } of statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - from;
    from = afterGC.heapStatistics.usedHeapSize;
  }
  return (bytes + end - from) / calls;
}

const PROBES = 200_000;
/** Map, properties and elements, then four fields, on 64 bits without pointer compression. */
const PROBE_BYTES = 7 * 8;

/** How far the meter is off for objects whose size is known, in percent. Printed, so that nobody has to believe it. */
export async function allocationErrorPercent(): Promise<number> {
  // The first run also allocates what compiling it takes.
  await measureHeapBytes(PROBES, async () => allocateProbes());
  const bytes = await measureHeapBytes(PROBES, async () => allocateProbes());
  return (bytes / PROBE_BYTES - 1) * 100;
}

/** Where the probes go: an object nobody can see would not be allocated at all. */
let lastProbe: object | null = null;

function allocateProbes(): void {
  for (let n = 0; n < PROBES; n++) lastProbe = { a: n, b: lastProbe === null, c: n, d: n };
}
