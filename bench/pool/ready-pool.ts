import { AsyncResource } from "node:async_hooks";
import { credentials } from "@grpc/grpc-js";
import type { Clock } from "../../src/core/index.js";
import { EndpointPool, openGate, poolOptionsSchema, Standing } from "../../src/pool/index.js";
import type { PickerPolicy } from "../../src/pool/pickers/picker.js";
import { FakeNetwork } from "../../test/support/fake-network.js";
import { ManualClock, settle } from "../../test/support/manual-clock.js";
import { SeededRandom } from "../../test/support/seeded-random.js";
import { endpointsOf } from "./policies.js";

const SEED = 1;
/** The bench waits in turns of the event loop, and not for ever. */
const MOST_TURNS = 1_000;

/** A pool on a clock that stands still, over a network without sockets. */
export interface PoolUnderTest {
  readonly pool: EndpointPool;
  readonly network: FakeNetwork;
  readonly clock: ManualClock;
}

/** A pool without endpoints; it connects as many as there will be, unless told otherwise. */
export function emptyPool(policy: PickerPolicy, maxConnectedEndpoints = 10_000): PoolUnderTest {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const standings = new Map<string, Standing>();
  const pool = new EndpointPool("static:///bench", poolOptionsSchema.parse({ maxConnectedEndpoints }), {
    clock: clock as Clock,
    credentials: () => credentials.createInsecure(),
    makeChannel: network.makeChannel,
    lookup: network.lookup,
    isWatched: false,
    context: new AsyncResource("bench"),
    random: new SeededRandom(SEED),
    events: { emit: () => {} },
    policy,
    standingFor: (address) => {
      const standing = standings.get(address) ?? new Standing({ gate: openGate });
      standings.set(address, standing);
      return standing;
    },
    onTrouble: () => {},
    onState: () => {},
  });
  return { pool, network, clock };
}

/**
 * A pool whose endpoints are all READY, have answered and have calls in flight, as in a service that is used.
 * @throws Error when they do not get READY
 */
export async function readyPool(policy: PickerPolicy, endpoints: number): Promise<PoolUnderTest> {
  const made = emptyPool(policy);
  const { pool, clock } = made;
  pool.connect();
  pool.update(endpointsOf(endpoints));
  // A policy that connects as picked connects none by itself.
  for (const subchannel of pool.subchannels) subchannel.connect();
  await untilReady(pool, endpoints);
  const random = new SeededRandom(SEED);
  const now = clock.now();
  for (const { standing } of pool.subchannels) {
    standing.inFlight = Math.floor(random.next() * 8);
    // Fractions, as clocks give them: whole numbers are another kind to the compiler.
    standing.succeeded(now, 0.5 + random.next() * 20, now - random.next());
  }
  return made;
}

/** Brings the endpoints into an order by chance; they stay what they are, and where they are in memory. */
export function shuffle(pool: EndpointPool): void {
  const random = new SeededRandom(SEED);
  const drawn = pool.subchannels.map(({ endpoint }) => ({ endpoint, at: random.next() }));
  drawn.sort((a, b) => a.at - b.at);
  pool.update(drawn.map(({ endpoint }) => endpoint));
}

/** Waits until so many endpoints are READY. @throws Error when that takes too long */
export async function untilReady(pool: EndpointPool, wanted: number): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const ready = pool.subchannels.filter(({ state }) => state === "READY").length;
    if (ready === wanted) return;
    await settle();
  }
  throw new Error(`not all of ${wanted} endpoints got READY over a network that cannot fail`);
}
