import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ProcessFleet, type ServerProcess } from "../../scripts/servers/process-fleet.mjs";

const SERVER = fileURLToPath(new URL("server.ts", import.meta.url));
/** `--import tsx` is looked up from here. */
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const LOOK_MS = 20;

/** What became of a server. */
export type Fate = "serves" | "warns" | "leaves" | "left" | "killed" | "crashed";

/** A server in a process of its own. */
export class Greeter {
  #fate: Fate = "serves";

  constructor(
    readonly id: string,
    private readonly process: ServerProcess,
  ) {}

  get fate(): Fate {
    if (this.process.state !== "exited") return this.#fate;
    return this.#fate === "leaves" ? "left" : "crashed";
  }

  /** It says that it is not well, and gets fewer calls. */
  warn(): void {
    this.#signal("SIGUSR2");
    this.#fate = "warns";
  }

  /** It leaves Consul, finishes what it has begun, and ends. */
  leave(): void {
    this.#signal("SIGTERM");
    this.#fate = "leaves";
  }

  /** A crash. */
  async kill(): Promise<void> {
    this.#fate = "killed";
    await this.process.kill();
  }

  logTail(): string {
    return this.process.logTail();
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.process.pid !== undefined) process.kill(this.process.pid, signal);
  }
}

/** The servers of the example; they go when it does, however it goes. */
export class Greeters {
  readonly #fleet = new ProcessFleet("holdfast-greeters-");
  readonly all: Greeter[] = [];

  /** @param consul host:port, at which each of them registers itself */
  constructor(private readonly consul: string) {}

  start(): Greeter {
    const id = `greeter-${this.all.length + 1}`;
    const args = ["--disable-warning=HOLDFAST_INSECURE", "--import", "tsx", SERVER, this.consul, id];
    const server = this.#fleet.add({
      name: id,
      command: process.execPath,
      args,
      cwd: PROJECT,
      env: process.env,
    });
    server.start();
    const greeter = new Greeter(id, server);
    this.all.push(greeter);
    return greeter;
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }
}

/** @throws Error when it does not come true in time, or a server crashes */
export async function until(
  isSo: () => boolean,
  what: string,
  { greeters, signal, withinMs }: { greeters: Greeters; signal: AbortSignal; withinMs: number },
): Promise<void> {
  for (const giveUpAt = performance.now() + withinMs; !isSo(); await sleep(LOOK_MS, undefined, { signal })) {
    const crashed = greeters.all.find(({ fate }) => fate === "crashed");
    if (crashed !== undefined) throw new Error(`${crashed.id} has crashed:\n${crashed.logTail()}`);
    if (performance.now() > giveUpAt) throw new Error(`${what} did not happen within ${withinMs} ms`);
  }
}
