import { expect } from "vitest";
import type { ConnectivityWord } from "../../src/core/index.js";
import type { Connection } from "../../src/pool/connection.js";
import type { PickResult } from "../../src/pool/pool-deps.js";
import type { Slot } from "../../src/pool/slot.js";
import type { Subchannel } from "../../src/pool/subchannel.js";
import { CALL } from "./pool-bench.js";
import type { ModelCall } from "./pool-call.js";
import { MAX_STREAMS, type PoolWorld } from "./pool-world.js";

/** What must hold in a pool's world, whatever happens there. */
export class PoolChecks {
  /** What was found wrong between two steps. */
  readonly #problems: unknown[] = [];

  constructor(private readonly world: PoolWorld) {}

  // Of every pick

  picked(result: PickResult, call: ModelCall): void {
    this.#note(() => {
      if (result === "queue") this.#waitsForAReason();
      else if ("kind" in result) this.#failsForAReason(call);
      else this.#goesWhereItMay(result, call);
    });
  }

  /** An endpoint was taken out of use by its breaker or as an outlier. */
  tookOut(address: string): void {
    this.#note(() => this.#isFloorKept(address));
  }

  /** In the middle of what the pool does a failure would be lost, or mistaken for another's. */
  #note(check: () => void): void {
    try {
      check();
    } catch (problem) {
      this.#problems.push(problem);
    }
  }

  #isFloorKept(address: string): void {
    const { pool, settings } = this.world;
    const others = pool.subchannels.filter(
      ({ endpoint, state, standing }) =>
        endpoint.address !== address && state === "READY" && standing.isOut(),
    );
    const atLeastOne = settings.maxEjectionPercent === 0 ? 0 : 1;
    const most = Math.max(
      atLeastOne,
      Math.floor((pool.subchannels.length * settings.maxEjectionPercent) / 100),
    );
    expect(others.length + 1, `${address} is one too many`).toBeLessThanOrEqual(most);
  }

  #goesWhereItMay(slot: Slot, { tried }: ModelCall): void {
    const { pool, truth, servers, settings } = this.world;
    const subchannel = pool.at(slot.address);
    const server = servers.get(slot.address);
    if (subchannel === undefined || server === undefined)
      throw new Error(`${slot.address} is not in the set`);
    const { connections, standing } = subchannel;
    expect(connections.includes(slot as Connection), `${slot.address} is leaving`).toBe(true);
    expect(truth.isWhole(truth.channelOf(slot)), `${slot.address} is not connected`).toBe(true);
    expect(truth.callsOn(slot), "streams").toBeLessThan(MAX_STREAMS);
    expect(server.health.status).toBe("serving");
    expect(standing.tally.isEjected, "ejected").toBe(false);
    expect(server.breaker.admits(), "its breaker lets nobody through").toBe(true);
    const doubt = truth.doubtOf(slot);
    const usable = this.#usable();
    if (doubt !== null) {
      expect(doubt.isUnverified, "unverified").toBe(false);
      expect(usable.length, "another endpoint is usable").toBe(0);
      const isHopeful = pool.subchannels.some(({ aggregateState }) => aggregateState === "CONNECTING");
      expect(isHopeful, "another endpoint connects").toBe(false);
    } else if (truth.isSound(slot)) {
      const sound = connections.filter((member) => truth.isSound(member));
      expect(truth.callsOn(slot)).toBe(Math.min(...sound.map((member) => truth.callsOn(member))));
    }
    if (tried === slot.address) expect(usable.filter(({ address }) => address !== tried)).toEqual([]);
    if (tried !== null || settings.slowStartMs > 0) return;
    const better = usable.filter(({ endpoint }) => priorityOf(endpoint) < priorityOf(subchannel.endpoint));
    expect(better.length, "another endpoint is preferred").toBe(0);
  }

  #waitsForAReason(): void {
    // A policy that connects as picked waits for the very endpoint that it picked.
    if (!this.#isPicked) expect(this.#usable()).toEqual([]);
  }

  #failsForAReason({ isPatient }: ModelCall): void {
    expect(isPatient).toBe(false);
    expect(this.#usable()).toEqual([]);
    const hopes = this.world.pool.subchannels.filter((subchannel) => {
      const state = this.#aggregateOf(subchannel);
      // Nobody connects those that are barred where endpoints are connected as they are picked.
      const isBarred = this.#isPicked && !subchannel.standing.admits(CALL.path);
      return state === "CONNECTING" || (state === "IDLE" && !isBarred);
    });
    expect(hopes.map(({ endpoint }) => endpoint.address)).toEqual([]);
  }

  /** Connections with room that nothing at all speaks against. */
  #usable(): readonly Connection[] {
    const { pool, truth, servers } = this.world;
    return pool.subchannels.flatMap(({ endpoint, connections, standing, state }) => {
      // A connection comes up a moment before its endpoint is READY.
      if (state !== "READY") return [];
      const server = servers.get(endpoint.address);
      const isFit =
        server?.health.status === "serving" && server.breaker.admits() && !standing.tally.isEjected;
      return connections.filter(
        (member) => isFit && truth.isSound(member) && truth.callsOn(member) < MAX_STREAMS,
      );
    });
  }

  // After every step

  all(): void {
    if (this.#problems.length > 0) throw this.#problems[0];
    const { pool, truth, servers } = this.world;
    for (const subchannel of pool.subchannels) this.#endpoint(subchannel);
    for (const [standing, calls] of this.world.inFlight) expect(standing.inFlight, "in flight").toBe(calls);
    for (const [slot, calls] of truth.running) {
      expect((slot as Connection).inFlight, "in flight on a connection").toBe(calls);
    }
    expect([...servers.keys()].sort()).toEqual(
      pool.subchannels.map(({ endpoint }) => endpoint.address).sort(),
    );
    const members = new Set(
      pool.subchannels.flatMap(({ connections }) => connections.map((member) => truth.channelOf(member))),
    );
    truth.checkSockets(members);
    this.#word();
    this.#waiters();
  }

  #endpoint(subchannel: Subchannel): void {
    const { truth, servers, settings } = this.world;
    const { connections, state, retryInMs, endpoint } = subchannel;
    const { address } = endpoint;
    const dials = truth.dialsOf(address);
    expect(dials.length, `dials of ${address} at once`).toBeLessThanOrEqual(1);
    expect(connections.length, `connections of ${address}`).toBeLessThanOrEqual(settings.maxConnections);
    expect(connections.length + dials.length).toBeLessThanOrEqual(settings.maxConnections + 1);
    for (const member of connections) {
      expect(truth.isWhole(truth.channelOf(member)), `${address} has a connection that is gone`).toBe(true);
    }
    expect(state, `state of ${address}`).toBe(truth.stateOf(address, connections, retryInMs !== null));
    const expected = this.#aggregateOf(subchannel);
    if (expected !== null) expect(subchannel.aggregateState, `what ${address} counts as`).toBe(expected);
    expect(servers.get(address)?.health.watched.size, "connections watched").toBe(connections.length);
  }

  /** R107, and R81 and R86 for health; null where doubts about a connection are neither proven nor dispelled. */
  #aggregateOf(subchannel: Subchannel): ConnectivityWord | null {
    const { truth, servers, failed } = this.world;
    const { connections, endpoint, state } = subchannel;
    if (connections.length === 0) {
      if (failed.has(endpoint.address)) return "TRANSIENT_FAILURE";
      return state === "TRANSIENT_FAILURE" ? "CONNECTING" : state;
    }
    const health = servers.get(endpoint.address)?.health.status;
    if (health === "not-serving") return "TRANSIENT_FAILURE";
    if (health === "unknown") return "CONNECTING";
    if (connections.some((member) => truth.isSound(member))) return "READY";
    const doubts = connections.map((member) => truth.doubtOf(member));
    if (doubts.includes(null)) return null;
    return doubts.some((doubt) => doubt?.isUnverified) ? "CONNECTING" : "READY";
  }

  /** R107, and R131 where endpoints are connected as they are picked. */
  #word(): void {
    const { pool, isAwake, word, hasResolutionFailed } = this.world;
    const states = pool.subchannels.map(({ aggregateState }) => aggregateState);
    const unknown = hasResolutionFailed ? "TRANSIENT_FAILURE" : "CONNECTING";
    const aggregate = this.#isPicked ? ringStateOf(states) : aggregateOf(states);
    expect(word).toBe(!isAwake ? "IDLE" : states.length === 0 ? unknown : aggregate);
  }

  get #isPicked(): boolean {
    return this.world.settings.loadBalancing.policy === "ring_hash";
  }

  /** Whoever waits would wait again if he asked again, and for something that is on its way. */
  #waiters(): void {
    const { pool, calls, servers, clock } = this.world;
    const waiting = calls.filter(({ state }) => state === "waiting");
    expect(pool.queue.size).toBe(waiting.length);
    const isProbeDue = [...servers.values()].some(
      ({ breaker }) => breaker.state !== "closed" && breaker.admits(),
    );
    if (isProbeDue) return;
    for (const { tried, isPatient } of waiting) {
      const filter = {
        accepts: ({ endpoint }: { endpoint: { address: string } }) => endpoint.address !== tried,
      };
      const answer = pool.pick({ ...CALL, now: clock.now() }, tried === null ? null : filter, isPatient);
      // Each pick of a call without a hash key may look elsewhere.
      const isAnywhere = this.#isPicked && answer !== "queue" && !("kind" in answer);
      if (!isAnywhere) expect(answer, "somebody forgot to tell a call that waits").toBe("queue");
      if (!isPatient && pool.subchannels.length > 0)
        expect(this.#isOnItsWay(), "a call waits for nothing").toBe(true);
    }
  }

  #isOnItsWay(): boolean {
    const { pool, truth } = this.world;
    return pool.subchannels.some(({ aggregateState, connections, standing, retryInMs, endpoint }) => {
      if (aggregateState === "CONNECTING") return true;
      if (aggregateState === "READY") return standing.admits(CALL.path) && connections.length > 0;
      return retryInMs !== null || truth.dialsOf(endpoint.address).length > 0;
    });
  }
}

function priorityOf({ priority = 0 }: { readonly priority?: number }): number {
  return priority;
}

/** R107. */
function aggregateOf(states: readonly ConnectivityWord[]): ConnectivityWord {
  if (states.includes("READY")) return "READY";
  return states.some((state) => state !== "TRANSIENT_FAILURE") ? "CONNECTING" : "TRANSIENT_FAILURE";
}

/** R131. */
function ringStateOf(states: readonly ConnectivityWord[]): ConnectivityWord {
  const failed = states.filter((state) => state === "TRANSIENT_FAILURE").length;
  if (states.includes("READY")) return "READY";
  if (failed >= 2) return "TRANSIENT_FAILURE";
  if (states.includes("CONNECTING") || (failed === 1 && states.length > 1)) return "CONNECTING";
  return states.includes("IDLE") ? "IDLE" : "TRANSIENT_FAILURE";
}
