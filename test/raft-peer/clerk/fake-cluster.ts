import { status as Status } from "@grpc/grpc-js";
import type { CommandRequest, CommandResponse, GetStatusResponse } from "../../../src/gen/kvraftpb/kvraft.js";
import { Op } from "../../../src/gen/kvraftpb/kvraft.js";
import { createClerk } from "../../../src/raft-peer/clerk/create-clerk.js";
import type {
  Clerk,
  ClerkOptions,
  LinkFactory,
  LinkFailure,
  LinkResult,
} from "../../../src/raft-peer/index.js";
import { ManualClock } from "../../support/manual-clock.js";
import { SeededRandom } from "../../support/seeded-random.js";

/** How a scripted server treats a request; `silent` never answers, `refused` is a closed port. */
export type Manner = "up" | "silent" | "refused" | { readonly rejects: Status; readonly text?: string };

/** A node as its clients see it. What it says of itself is set by the test, and need not be true. */
export class FakeServer {
  manner: Manner = "up";
  state = "Follower";
  term = 1n;
  /** Text in place of the usual answer to a command that it gets as leader. */
  err: string | null = null;
  /** Applies commands, and loses the answers. */
  losesAnswers = false;
  readonly commands: CommandRequest[] = [];
  statusRequests = 0;

  constructor(
    readonly address: string,
    readonly id: number,
    private readonly cluster: FakeCluster,
  ) {}

  lead(term: bigint | number): void {
    this.state = "Leader";
    this.term = BigInt(term);
  }

  follow(term: bigint | number): void {
    this.state = "Follower";
    this.term = BigInt(term);
  }

  command(request: CommandRequest): CommandResponse {
    this.commands.push(request);
    if (this.state !== "Leader") return { err: "ErrWrongLeader", value: "" };
    if (this.err !== null) return { err: this.err, value: "" };
    return this.cluster.apply(request);
  }

  status(): GetStatusResponse {
    this.statusRequests += 1;
    return {
      id: BigInt(this.id),
      state: this.state,
      term: this.term,
      lastApplied: 0n,
      commitIndex: 0n,
      storageSize: 0n,
    };
  }
}

/** Scripted servers with one shared store that keeps eraft's duplicate rule, one millisecond away by default. */
export class FakeCluster {
  readonly clock = new ManualClock();
  readonly servers: FakeServer[];
  readonly store = new Map<string, string>();
  /** How often each write was applied, by its ids. */
  readonly applied = new Map<string, number>();
  readonly #highest = new Map<bigint, bigint>();
  readonly #clerks: Clerk[] = [];
  linksMade = 0;
  linksClosed = 0;

  /** Hears every call as it is made. */
  onCall: (path: string, key: string | undefined) => void = () => {};

  constructor(
    count = 3,
    private readonly wayMs = 1,
  ) {
    this.servers = Array.from(
      { length: count },
      (_, id) => new FakeServer(`10.0.0.${id + 1}:5001`, id, this),
    );
  }

  get addresses(): string[] {
    return this.servers.map(({ address }) => address);
  }

  get statusRequests(): number {
    return this.servers.reduce((sum, { statusRequests }) => sum + statusRequests, 0);
  }

  get commands(): number {
    return this.servers.reduce((sum, { commands }) => sum + commands.length, 0);
  }

  server(index: number): FakeServer {
    return this.servers[index] as FakeServer;
  }

  clerk(options: ClerkOptions = {}, newClientId?: () => bigint): Clerk {
    let ids = 0n;
    const clerk = createClerk(
      { ...(options.target === undefined ? { servers: this.addresses } : {}), ...options },
      {
        clock: this.clock,
        random: new SeededRandom(1),
        connect: this.connect,
        newClientId: newClientId ?? (() => 2n ** 62n - 1n - ids++),
        env: {},
      },
    );
    this.#clerks.push(clerk);
    return clerk;
  }

  readonly connect: LinkFactory = (address) => {
    this.linksMade += 1;
    let isClosed = false;
    const running = new Set<() => void>();
    return {
      address,
      call: <Request, Response>(
        method: { readonly path: string },
        request: Request,
        timeoutMs: number,
        done: (result: LinkResult<Response>) => void,
      ) => {
        const startedAt = this.clock.now();
        this.onCall(method.path, (request as Partial<CommandRequest>).key);
        let isDone = false;
        const end = (result: LinkResult<Response>): void => {
          if (isDone) return;
          isDone = true;
          running.delete(cancel);
          timer.cancel();
          done(result);
        };
        const fail = (failure: Partial<LinkFailure>): void =>
          end({ ...FAILURE, ms: this.clock.now() - startedAt, ...failure } as LinkFailure);
        const timer = this.clock.setTimer(() => fail(TIMEOUT), timeoutMs, { keepAlive: true });
        const cancel = (): void => {
          this.clock.setTimer(() => fail(CLOSED), 0);
        };
        running.add(cancel);
        if (isClosed) cancel();
        else this.#deliver(address, method.path, request, end as (result: LinkResult<unknown>) => void, fail);
        return cancel;
      },
      close: async () => {
        if (!isClosed) this.linksClosed += 1;
        isClosed = true;
        for (const cancel of [...running]) cancel();
      },
    };
  };

  /** Runs what is due, and some time. */
  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Lets an operation run while the clock goes on. */
  async run<T>(operation: Promise<T>, ms = 1_000): Promise<T> {
    const [value] = await Promise.all([operation, this.advance(ms)]);
    return value;
  }

  apply({ key, value, op, clientId, commandId }: CommandRequest): CommandResponse {
    const old = this.store.get(key);
    if (op === Op.GET) return old === undefined ? { err: "ErrNoKey", value: "" } : { err: "OK", value: old };
    if ((this.#highest.get(clientId) ?? -1n) >= commandId) return { err: "OK", value: "" };
    this.#highest.set(clientId, commandId);
    const ids = `${clientId}/${commandId}`;
    this.applied.set(ids, (this.applied.get(ids) ?? 0) + 1);
    this.store.set(key, op === Op.APPEND ? (old ?? "") + value : value);
    return { err: "OK", value: "" };
  }

  async close(): Promise<void> {
    const closing = this.#clerks.map((clerk) => clerk.close({ drainMs: 0 }));
    await this.advance(1);
    await Promise.all(closing);
  }

  #deliver(
    address: string,
    path: string,
    request: unknown,
    end: (result: LinkResult<unknown>) => void,
    fail: (failure: Partial<LinkFailure>) => void,
  ): void {
    const server = this.servers.find((each) => each.address === address);
    this.clock.setTimer(() => {
      const manner = server?.manner ?? "refused";
      if (server === undefined || manner === "refused") return fail(REFUSED);
      if (manner === "silent") return;
      if (typeof manner === "object") return fail(rejected(manner));
      const isStatus = path.endsWith("/GetStatus");
      const response = isStatus ? server.status() : server.command(request as CommandRequest);
      if (!isStatus && server.losesAnswers) return;
      this.clock.setTimer(() => end({ ok: true, response, ms: 2 * this.wayMs }), this.wayMs);
    }, this.wayMs);
  }
}

const FAILURE = { ok: false, attempts: [] };
const TIMEOUT = {
  kind: "timeout",
  code: Status.DEADLINE_EXCEEDED,
  reason: "DEADLINE_EXCEEDED",
  processed: "maybe",
  details: "no answer in time",
} as const;
const REFUSED = {
  kind: "unreachable",
  code: Status.UNAVAILABLE,
  reason: "DIAL_FAILED",
  processed: "no",
  details: "connection refused",
} as const;
const CLOSED = {
  kind: "closed",
  code: Status.CANCELLED,
  reason: "CANCELLED",
  processed: "maybe",
  details: "cancelled",
} as const;

function rejected({ rejects, text }: { rejects: Status; text?: string }): Partial<LinkFailure> {
  return {
    kind: "rejected",
    code: rejects,
    reason: "REMOTE",
    processed: "no",
    details: text ?? Status[rejects],
  };
}
