import fc from "fast-check";

/** Addresses of the endpoints that come and go. */
export const ADDRESSES = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"] as const;

/** What may happen to a pool; an action named twice happens twice as often. */
const ACTIONS = [
  "call",
  "call",
  "call",
  "patient call",
  "retry",
  "answer",
  "answer",
  "refuse politely",
  "fail",
  "cancel",
  "time out",
  "time out",
  "lose",
  "goaway",
  "hear",
  "answer check",
  "accept",
  "plan ready",
  "plan refuse",
  "plan hang",
  "endpoints",
  "no endpoints",
  "resolution fails",
  "health",
  "isolate",
  "sweep",
  "idle",
  "pause",
  "rotate",
  "reset backoff",
  "wait 5",
  "wait 300",
  "wait 1200",
  "wait 11000",
] as const;
export type Action = (typeof ACTIONS)[number];

/** An action, and a number that says on what. */
export type Step = readonly [action: Action, which: number];

/** What the pool of one run is like. */
export interface Settings {
  readonly loadBalancing: { readonly policy: string };
  readonly minConnections: number;
  readonly maxConnections: number;
  readonly maxConnectionAgeMs: number | null;
  readonly maxCallsPerConnection: number;
  readonly maxConnectedEndpoints: number;
  readonly maxEjectionPercent: number;
  readonly zone: string | null;
  readonly slowStartMs: number;
  /** Endpoints of two priorities. */
  readonly hasPriorities: boolean;
  readonly seed: number;
}

const RING = { policy: "ring_hash", minRingSize: 64 };

export const settings: fc.Arbitrary<Settings> = fc
  .record({
    loadBalancing: fc.constantFrom<Settings["loadBalancing"][]>(
      { policy: "round_robin" },
      { policy: "round_robin" },
      { policy: "pick_first" },
      { policy: "random" },
      { policy: "least_request" },
      { policy: "least_latency" },
      { policy: "weighted_round_robin" },
      RING,
    ),
    minConnections: fc.constantFrom(1, 1, 2),
    maxConnections: fc.constantFrom(1, 2, 3),
    maxConnectionAgeMs: fc.constantFrom(null, null, 4_000),
    maxCallsPerConnection: fc.constantFrom(1_000, 1_000, 3),
    maxConnectedEndpoints: fc.constantFrom(100, 100, 2, 1),
    maxEjectionPercent: fc.constantFrom(50, 50, 0, 25, 75, 100),
    zone: fc.constantFrom(null, "here"),
    slowStartMs: fc.constantFrom(0, 0, 3_000),
    hasPriorities: fc.boolean(),
    seed: fc.nat(1_000),
  })
  .map((drawn) => ({ ...drawn, maxConnections: Math.max(drawn.minConnections, drawn.maxConnections) }));

/** A story of 30 to 70 steps. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(59)),
  { minLength: 30, maxLength: 70, size: "max" },
);
