import * as grpc from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "vitest";
import { type AnyFlavour, flavours } from "../fixtures/stubs/flavours.js";
import { type CallArgs, type CallEnd, callToEnd, type Kind } from "./contract-calls.js";
import { type DirectedRun, DirectedServer } from "./directed-server.js";
import { type DifferenceId, type Verdict, verdictOf } from "./door-differences.js";
import { type Door, type DoorOptions, doors, furtherDoors, type OpenDoor, QUICK } from "./doors.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";

export { type Door, type DoorOptions, doors, furtherDoors, type OpenDoor, QUICK } from "./doors.js";

interface Closable {
  close(): unknown;
}

/** One combination of stub and door, with two servers behind it. */
export class Entrance {
  readonly #opened: OpenDoor[] = [];
  readonly #used: Closable[] = [];
  #baseline: LeakBaseline | null = null;

  constructor(
    readonly flavour: AnyFlavour,
    readonly door: Door,
    private readonly serversOfSuite: () => readonly DirectedServer[],
  ) {}

  get servers(): readonly DirectedServer[] {
    return this.serversOfSuite();
  }

  /** Opens the door; it is closed after the test. */
  open(options: DoorOptions = {}): OpenDoor {
    const opened = this.door.open(this.flavour, {
      channel: QUICK,
      client: {},
      credentials: grpc.credentials.createInsecure(),
      addresses: this.servers.map((server) => server.address),
      ...options,
    });
    this.#opened.push(opened);
    return opened;
  }

  /** What the table of differences says of this door. */
  says(row: DifferenceId): Verdict {
    return verdictOf(row, this.door.id);
  }

  /** True where the table has anything but a no. */
  can(row: DifferenceId): boolean {
    return this.says(row) !== "no";
  }

  /** Closes this after the test, and after the doors. */
  use<T extends Closable>(thing: T): T {
    this.#used.push(thing);
    return thing;
  }

  /** A call from begin to end through a door opened for it. */
  call(kind: Kind | "read", args: CallArgs = {}, options: DoorOptions = {}): Promise<CallEnd> {
    return callToEnd(this.flavour, this.open(options).stub, kind, args);
  }

  /** Handler runs of this test, on all servers. */
  get runs(): readonly DirectedRun[] {
    return this.servers.flatMap((server) => server.runs);
  }

  /** Resolves with the next call that reaches a handler of any server. */
  async nextRun(): Promise<void> {
    await Promise.race(this.servers.map((server) => server.received(server.receivedCount + 1)));
  }

  /** Resolves once a server hears that a call of its was cancelled. */
  async nextCancel(): Promise<void> {
    await Promise.race(this.servers.map((server) => server.cancelled(server.cancelledCount + 1)));
  }

  async begin(): Promise<void> {
    for (const server of this.servers) server.runs.length = 0;
    this.#baseline = await leakBaseline();
  }

  async end(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((opened) => opened.close()));
    for (const thing of this.#used.splice(0).reverse()) await thing.close();
    await this.#baseline?.expectClean();
  }
}

/** Made by the two generators most used; the further doors differ in nothing that depends on more. */
const fewFlavours = flavours.filter(({ name }) => ["proto-loader", "ts-proto"].includes(name));

/** The same suite through every door: over a channel of ours with every kind of stub, otherwise with two. */
export function describeAllDoors(suite: (entrance: Entrance) => void): void {
  describeDoors(suite);
  describeDoors(suite, furtherDoors, fewFlavours);
}

/**
 * Runs a suite for every combination of stub and door, unless fewer are named. Each test begins and ends without an
 * open connection.
 */
export function describeDoors(
  suite: (entrance: Entrance) => void,
  through: readonly Door[] = doors,
  stubs: readonly AnyFlavour[] = flavours,
): void {
  let servers: readonly DirectedServer[] = [];
  beforeAll(async () => {
    servers = await Promise.all([DirectedServer.start(), DirectedServer.start()]);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  for (const door of through) {
    for (const flavour of stubs) {
      describe(`a ${flavour.name} stub through ${door.name}`, () => {
        const entrance = new Entrance(flavour, door, () => servers);
        beforeEach(() => entrance.begin());
        afterEach(() => entrance.end());

        suite(entrance);
      });
    }
  }
}

/**
 * A test for the doors that carry what it needs. For the others it is not there, rather than skipped: the table of
 * differences says that they do not, and a test of its own proves it.
 */
export function itWhere(isCarried: boolean): typeof it {
  return isCarried ? it : NOWHERE;
}

const NOWHERE = Object.assign(() => {}, { each: () => () => {} }) as unknown as typeof it;
