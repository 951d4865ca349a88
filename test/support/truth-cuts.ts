import type { CounterMethod } from "./counter-service.js";
import { CountingServer } from "./counting-server.js";
import { turns } from "./event-loop.js";
import { openTruthClient, type TruthDoor, tell } from "./truth-calls.js";
import { Ledger, type Verdict } from "./truth-ledger.js";
import { CUTS, type Cut, CutProxy, SIDES, type Side, spread } from "./truth-proxy.js";
import { CELL_KEY, OpenedStreams } from "./truth-streams.js";

/** Calls behind black holes only wait for their deadline, so that many of them can wait at a time. */
const HOLE_WORKERS = 48;
/** Few, because they keep the processor busy, and the deadlines of the others run meanwhile. */
const WORKERS = 8;
/** Enough for a call on a busy machine; behind a black hole every call takes this long. */
const HOLE_TIMEOUT_MS = 500;
const TIMEOUT_MS = 20_000;
/** Header blocks differ by a few bytes from call to call, so the last positions lie a little past the measured end. */
const MARGIN_BYTES = 6;

export const AGES = ["fresh", "warm"] as const;
export type Age = (typeof AGES)[number];

/** What the cuts are made around. */
export interface CutMatrix {
  readonly kind: CounterMethod;
  readonly door: TruthDoor;
  readonly age: Age;
  readonly isIdempotent: boolean;
}

interface Cell extends CutMatrix {
  readonly cut: Cut;
  readonly side: Side;
  readonly bytes: number;
}

/** Cuts connections after each byte of an exchange and notes what callers were told, beside what ran. */
export async function runCuts(matrix: CutMatrix): Promise<Ledger> {
  const stage = await CutStage.open();
  try {
    await stage.run(matrix);
    return stage.ledger;
  } finally {
    await stage.close();
  }
}

class CutStage {
  readonly ledger = new Ledger();
  readonly #streams = new OpenedStreams();
  #calls = 0;

  private constructor(private readonly server: CountingServer) {}

  static async open(): Promise<CutStage> {
    return new CutStage(await CountingServer.start());
  }

  async close(): Promise<void> {
    this.#streams.close();
    await this.server.close();
  }

  async run(matrix: CutMatrix): Promise<void> {
    const cells = await this.#cellsOf(matrix);
    const told: (Omit<Verdict, "ran" | "opened"> & { readonly id: string })[] = [];
    const cutOne = async (cell: Cell, proxy: CutProxy): Promise<void> => {
      const id = this.#nextId();
      const group = `${cell.kind}, ${cell.age}, ${cell.door}${cell.isIdempotent ? ", idempotent" : ""}`;
      const name = `${cell.cut} after ${cell.bytes} bytes of the ${cell.side}`;
      told.push({
        id,
        cell: name,
        group,
        isIdempotent: cell.isIdempotent,
        ...(await this.#one(cell, id, proxy)),
      });
    };
    const hire = (): Promise<CutProxy> => CutProxy.start(this.server.port);
    const isHole = ({ cut }: Cell): boolean => cut === "black hole";
    const proxies = await Promise.all([
      spread(cells.filter(isHole), HOLE_WORKERS, hire, cutOne),
      spread(
        cells.filter((cell) => !isHole(cell)),
        WORKERS,
        hire,
        cutOne,
      ),
    ]);
    await Promise.all(proxies.flat().map((proxy) => proxy.close()));
    // What reached the server before its connection went may still be on its way to the handler.
    await turns(10);
    const ran = this.#runs();
    for (const one of told) {
      this.ledger.add({ ...one, ran: ran.get(one.id) ?? 0, opened: this.#streams.of(one.id) });
    }
  }

  async #cellsOf(matrix: CutMatrix): Promise<Cell[]> {
    const proxy = await CutProxy.start(this.server.port);
    const client = openTruthClient(matrix.door, [proxy.address]);
    if (matrix.age === "warm") await this.#call(client.stub, matrix, this.#nextId(), TIMEOUT_MS);
    proxy.takeCounts();
    await this.#call(client.stub, matrix, this.#nextId(), TIMEOUT_MS);
    await client.close();
    const counts = proxy.takeCounts();
    await proxy.close();
    return SIDES.flatMap((side) =>
      CUTS.flatMap((cut) =>
        Array.from({ length: counts[side] + MARGIN_BYTES }, (_, bytes) => ({ ...matrix, cut, side, bytes })),
      ),
    );
  }

  async #one(cell: Cell, id: string, proxy: CutProxy): Promise<Awaited<ReturnType<typeof tell>>> {
    const addresses = [proxy.address, this.server.address];
    const client = openTruthClient(cell.door, addresses);
    if (cell.age === "warm") await this.#call(client.stub, cell, this.#nextId(), TIMEOUT_MS);
    proxy.arm(cell);
    const timeoutMs = cell.cut === "black hole" ? HOLE_TIMEOUT_MS : TIMEOUT_MS;
    const told = await this.#call(client.stub, cell, id, timeoutMs);
    await client.close();
    await proxy.reset();
    return told;
  }

  #call(stub: Parameters<typeof tell>[0], matrix: CutMatrix, cell: string, timeoutMs: number) {
    return tell(stub, { kind: matrix.kind, isIdempotent: matrix.isIdempotent, cell, timeoutMs });
  }

  #nextId(): string {
    return String(++this.#calls).padStart(6, "0");
  }

  #runs(): Map<string, number> {
    const runs = new Map<string, number>();
    for (const { metadata } of this.server.calls) {
      const id = String(metadata.get(CELL_KEY)[0]);
      runs.set(id, (runs.get(id) ?? 0) + 1);
    }
    return runs;
  }
}
