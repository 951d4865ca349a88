import { status as Status } from "@grpc/grpc-js";
import { Subscription } from "../../src/core/index.js";
import type { FakeChannel } from "../support/fake-channel.js";
import { settle } from "../support/manual-clock.js";
import { ADDRESSES, type Settings, type Step } from "./pool-steps.js";
import { PoolWorld } from "./pool-world.js";

const SWEEP_MS = 2_000;

/** Plays a story to a pool, and looks after every step whether all still holds. */
export class PoolStorm {
  readonly world: PoolWorld;

  constructor(private readonly settings: Settings) {
    this.world = new PoolWorld(settings);
  }

  async run(script: readonly Step[]): Promise<void> {
    await this.#step(["endpoints", 14]);
    for (const step of script) await this.#step(step);
  }

  /** The network is well, servers answer, and whoever was taken out comes back. */
  async heal(): Promise<void> {
    const { world } = this;
    this.#update(14);
    for (const address of ADDRESSES) this.world.network.plan(address, "ready");
    for (let second = 0; second < 60; second++) {
      for (const server of world.servers.values()) {
        server.isolation?.dispose();
        server.isolation = null;
        this.#setHealth(server.address, "serving");
      }
      for (const channel of world.truth.channels) this.#answerChecks(channel);
      await this.#settle();
      for (const call of world.calls) call.answer();
      await world.wait(1_000);
      world.sweep();
      await this.#settle();
    }
    world.checks.all();
  }

  async #step(step: Step): Promise<void> {
    await this.#do(step);
    await this.#settle();
    this.world.checks.all();
  }

  async #settle(): Promise<void> {
    await settle();
    this.world.truth.arrive();
  }

  #do([action, which]: Step): Promise<void> | void {
    const { world } = this;
    const { pool, network, truth } = world;
    const address = ADDRESSES[which % ADDRESSES.length] as string;
    const running = world.calls.filter(({ state }) => state === "running");
    const call = running[which % Math.max(1, running.length)];
    switch (action) {
      case "call":
        return world.call(false);
      case "patient call":
        return world.call(true);
      case "retry":
        return world.call(false, address);
      case "answer":
        return call?.answer();
      case "refuse politely":
        return call?.refusePolitely();
      case "fail":
        return call?.fail();
      case "cancel":
        return world.liveCalls[which % Math.max(1, world.liveCalls.length)]?.cancel();
      case "time out":
        return call?.timeOut();
      case "lose":
        return this.#connection(which)?.lose(which % 2 === 0 ? "read ECONNRESET" : undefined);
      case "goaway":
        return this.#goaway(which);
      case "hear":
        return this.#connection(which)?.hear();
      case "answer check":
        return this.#answerChecks(this.#connection(which));
      case "accept":
        return void truth.channels.find((channel) => truth.isDial(channel))?.accept();
      case "plan ready":
        return network.plan(address, "ready");
      case "plan refuse":
        return network.plan(address, "refuse");
      case "plan hang":
        return network.plan(address, "hang");
      case "endpoints":
        return this.#update(which);
      case "no endpoints":
        return world.update([]);
      case "resolution fails":
        return world.failResolution();
      case "health":
        return this.#setHealth(
          address,
          (["serving", "unknown", "not-serving"] as const)[which % 3] ?? "serving",
        );
      case "isolate":
        return this.#isolate(address);
      case "sweep":
        return this.#sweep();
      case "idle":
        return world.sleep();
      case "pause":
        return world.pause();
      case "rotate":
        return pool.eachReady((subchannel) => subchannel.rotate("new certificates"));
      case "reset backoff":
        return pool.resetBackoff(which % 2 === 0 ? undefined : address);
      default:
        return world.wait(Number(action.slice("wait ".length)));
    }
  }

  /** One of those that stand, draining ones included. */
  #connection(which: number): FakeChannel | undefined {
    const { truth } = this.world;
    const whole = truth.channels.filter((channel) => truth.isWhole(channel));
    return whole[which % Math.max(1, whole.length)];
  }

  #goaway(which: number): void {
    const channel = this.#connection(which);
    if (channel === undefined) return;
    this.world.truth.leaving.add(channel);
    const running = channel.calls.filter((call) => !call.isEnded);
    channel.goaway(running.slice(0, which % 2));
  }

  /** A server without a health service is one that lives. */
  #answerChecks(channel: FakeChannel | undefined): void {
    const open = channel?.checks.filter((check) => !check.isEnded) ?? [];
    if (channel === undefined || open.length === 0) return;
    this.world.truth.answer(channel);
    for (const check of open) check.fail(Status.UNIMPLEMENTED, "unknown service");
  }

  /** Some of the endpoints, in one order or the other, the first of them perhaps another server than before. */
  #update(which: number): void {
    const subset = (which % 15) + 1;
    const endpoints = ADDRESSES.map((address, index) => ({
      address,
      zone: index < 2 ? "here" : "there",
      ...(this.settings.hasPriorities ? { priority: index % 2 } : {}),
      ...(which >= 45 && index === 0 ? { serverName: "another" } : {}),
    })).filter((_, index) => (subset & (1 << index)) !== 0);
    this.world.update(which % 2 === 0 ? endpoints : endpoints.reverse());
  }

  #setHealth(address: string, status: "serving" | "unknown" | "not-serving"): void {
    const server = this.world.servers.get(address);
    if (server === undefined || server.health.status === status) return;
    server.health.status = status;
    this.world.pool.reassess(address);
  }

  #isolate(address: string): void {
    const server = this.world.servers.get(address);
    if (server === undefined) return;
    const { isolation } = server;
    if (isolation === null) {
      // Before it is told of: an isolation asks no panic floor.
      server.isolation = new Subscription(() => {});
      server.isolation = server.breaker.isolate();
    } else {
      server.isolation = null;
      isolation.dispose();
    }
  }

  async #sweep(): Promise<void> {
    await this.world.wait(SWEEP_MS);
    this.world.sweep();
  }
}
