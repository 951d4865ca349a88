import type { CounterMethod } from "./counter-service.js";
import { turns } from "./event-loop.js";
import { openTruthClient, type Told, type TruthDoor, tell } from "./truth-calls.js";
import { Ledger, type Verdict } from "./truth-ledger.js";
import { spread } from "./truth-proxy.js";
import { CODES, type Ending, isLie, LAST_IDS, nameOf, type Scene, STAGES, TruthServer } from "./truth-raw.js";
import { OpenedStreams } from "./truth-streams.js";

/** Calls under way at the same time. */
const WORKERS = 24;
/** Far more than any of these calls takes. */
const TIMEOUT_MS = 20_000;

/** Which calls are ended, and how. */
export interface EndingMatrix {
  readonly endings: readonly Ending[];
  readonly kinds: readonly CounterMethod[];
  readonly doors: readonly TruthDoor[];
  readonly isIdempotent: boolean;
  /** Whether every attempt is ended, or the first; both unless given. */
  readonly isEveryAttempt?: readonly boolean[];
}

/** One call that a server ends in a way of its own. */
interface Cell {
  readonly scene: Scene;
  readonly kind: CounterMethod;
  readonly door: TruthDoor;
  readonly isWarm: boolean;
  readonly isIdempotent: boolean;
}

export const rstEndings: readonly Ending[] = [...CODES.values()].map((code) => ({
  frame: "RST_STREAM",
  code,
}));
export const goawayEndings: readonly Ending[] = [...CODES.values()].flatMap((code) =>
  LAST_IDS.map((last) => ({ frame: "GOAWAY" as const, code, last })),
);

/** Ends calls in each of these ways at every stage, and notes what callers were told beside what ran. */
export async function runEndings(matrix: EndingMatrix): Promise<Ledger> {
  const ledger = new Ledger();
  const streams = new OpenedStreams();
  const servers = { faulty: await TruthServer.start(), spare: await TruthServer.start() };
  const told: (Omit<Verdict, "ran" | "opened"> & { readonly id: string })[] = [];
  await spread(
    [...cellsOf(matrix).entries()],
    WORKERS,
    async () => servers,
    async ([index, cell]) => {
      const id = String(index).padStart(6, "0");
      told.push({ id, ...describe(cell), ...(await one(cell, id, servers)) });
    },
  );
  // What a client has given up may still be on its way to a handler.
  await turns(10);
  streams.close();
  for (const one of told) {
    const ran = servers.faulty.runsOf(one.id) + servers.spare.runsOf(one.id);
    ledger.add({ ...one, ran, opened: streams.of(one.id) });
  }
  await Promise.all([servers.faulty.close(), servers.spare.close()]);
  return ledger;
}

/** Where every attempt is ended the connection is warm at first; where only the first is, it is fresh. */
function cellsOf(matrix: EndingMatrix): Cell[] {
  const { endings, kinds, doors, isIdempotent, isEveryAttempt: whether = [true, false] } = matrix;
  return kinds.flatMap((kind) =>
    doors.flatMap((door) =>
      whether.flatMap((isEveryAttempt) =>
        endings.flatMap((ending) =>
          STAGES.map((stage) => ({
            scene: { stage, ending, isEveryAttempt },
            kind,
            door,
            isWarm: isEveryAttempt,
            isIdempotent,
          })),
        ),
      ),
    ),
  );
}

function describe({ scene, kind, door, isWarm, isIdempotent }: Cell) {
  const cell = `${nameOf(scene)}, ${kind}, ${isWarm ? "warm" : "fresh"}, ${door}`;
  const group = `${scene.ending.frame}, ${scene.stage}${isIdempotent ? ", idempotent" : ""}`;
  return { cell, group, isIdempotent, isLie: isLie(scene, door) };
}

async function one(
  { scene, kind, door, isWarm, isIdempotent }: Cell,
  id: string,
  { faulty, spare }: { readonly faulty: TruthServer; readonly spare: TruthServer },
): Promise<Told> {
  const addresses = scene.isEveryAttempt ? [faulty.address] : [faulty.address, spare.address];
  const client = openTruthClient(door, addresses);
  const call = { kind, isIdempotent, timeoutMs: TIMEOUT_MS };
  if (isWarm) await tell(client.stub, { ...call, cell: `warm ${id}` });
  faulty.stage(id, scene);
  const told = await tell(client.stub, { ...call, cell: id });
  await client.close();
  return told;
}
