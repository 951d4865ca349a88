import { Metadata } from "@grpc/grpc-js";
import { type Candidate, callOptions, type PickerPolicy, registerPicker } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { configErrorOf } from "../support/config-error.js";
import { type CountingServer, hang, unary } from "../support/counting-server.js";
import { EveryKind } from "../support/every-kind.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { SeededRandom } from "../support/seeded-random.js";
import { endings, Stage } from "../support/stage.js";
import { advanceUntil, sequentially } from "./pool-servers.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 5_000 });

async function servers(count: number): Promise<CountingServer[]> {
  return Promise.all(Array.from({ length: count }, () => stage.server()));
}

function served(fleet: readonly CountingServer[]): number[] {
  return fleet.map(({ executions }) => executions.Unary);
}

/** A key, and where its calls went. */
const keyed = (hashKey: string) => callOptions({ hashKey, retry: false, timeoutMs: 5_000 });

describe("weighted_round_robin", () => {
  it("shares calls 5:3:1 exactly, by the weights that were pushed", async () => {
    const fleet = await servers(3);
    const { client, channel } = stage.harden(fleet, { loadBalancing: "weighted_round_robin" });
    channel.updateEndpoints(fleet.map(({ address }, index) => ({ address, weight: [5, 3, 1][index] ?? 1 })));
    await channel.ready({ endpoints: "all" });

    const results = await sequentially(client, 90, once);

    expect(endings(results)).toEqual({ OK: 90 });
    expect(served(fleet)).toEqual([50, 30, 10]);
  });

  it("follows new weights of kept endpoints, over the connections that stand", async () => {
    const fleet = await servers(2);
    const { client, channel } = stage.harden(fleet, { loadBalancing: "weighted_round_robin" });
    const weigh = (first: number, second: number): void =>
      channel.updateEndpoints(
        fleet.map(({ address }, index) => ({ address, weight: index === 0 ? first : second })),
      );
    weigh(3, 1);
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 40, once);

    weigh(1, 3);
    await sequentially(client, 40, once);

    expect(served(fleet)).toEqual([40, 40]);
    expect(fleet.map(({ peers }) => peers.size)).toEqual([1, 1]);
  });
});

describe("least_request", () => {
  it("leaves alone a server that does not answer its calls, of which round_robin sends it one in five", async () => {
    const stuckCalls = async (loadBalancing: string): Promise<number> => {
      const fleet = await servers(5);
      const [stuck] = fleet as [CountingServer];
      stuck.unary = hang();
      const { client, channel } = stage.harden(fleet, { loadBalancing }, { random: new SeededRandom(7) });
      await channel.ready({ endpoints: "all" });
      const controller = new AbortController();
      const forever = callOptions({ signal: controller.signal, timeoutMs: null });
      const calls = [];
      for (let call = 0; call < 100; call++) {
        const reached = stuck.received(stuck.calls.length + 1);
        const result = unary(client, "x", forever);
        calls.push(result);
        await Promise.race([result, reached]);
      }
      controller.abort();
      await Promise.all(calls);
      return stuck.executions.Unary;
    };

    const [turns, fewest] = [await stuckCalls("round_robin"), await stuckCalls("least_request")];

    expect(turns).toBe(20);
    expect(fewest).toBeLessThanOrEqual(8);
  });
});

describe("ring_hash", () => {
  const RING = { loadBalancing: "ring_hash" };

  it("connects to no endpoint before a call needs it, and to none that no key leads to (R131)", async () => {
    const fleet = await servers(4);
    const { client, channel } = stage.harden(fleet, RING);

    await sequentially(client, 5, keyed("alice"));

    const states = channel.endpoints().map(({ state }) => state);
    expect(states.toSorted()).toEqual(["IDLE", "IDLE", "IDLE", "READY"]);
    expect(fleet.map(({ peers }) => peers.size).toSorted()).toEqual([0, 0, 0, 1]);
  });

  it("sends equal keys to one endpoint, and many keys to all of them", async () => {
    const fleet = await servers(4);
    const { client, events } = stage.harden(fleet, RING);
    const keys = Array.from({ length: 40 }, (_, index) => `user-${index}`);

    for (const key of keys) await unary(client, "x", keyed(key));
    for (const key of keys) await unary(client, "x", keyed(key));

    expect(events.picks.slice(0, 40)).toEqual(events.picks.slice(40));
    expect(served(fleet)).not.toContain(0);
  });

  it("takes the key from a request header, in place of which the call's own wins (R132)", async () => {
    const fleet = await servers(4);
    const loadBalancing = { policy: "ring_hash", requestHashHeader: "x-user" };
    const { client, events } = stage.harden(fleet, { loadBalancing });
    const headed = (user: string): Metadata => {
      const metadata = new Metadata();
      metadata.set("x-user", user);
      return metadata;
    };
    const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);

    for (const user of users) await unary(client, "x", { ...once, metadata: headed(user) });
    for (const user of users) await unary(client, "x", { ...once, metadata: headed(user) });
    for (const user of users)
      await unary(client, "x", { ...keyed(user), metadata: headed("always the same") });

    const [first, second, third] = [0, 20, 40].map((from) => events.picks.slice(from, from + 20));
    expect(first).toEqual(second);
    expect(third).toEqual(first);
  });

  it("goes on to another endpoint when the key's own is down, and back when that is up (R130)", async () => {
    const fleet = await servers(3);
    const { client, events } = stage.harden(fleet, {
      ...RING,
      reconnectBackoff: { initialMs: 10, maxMs: 10 },
    });
    await unary(client, "x", keyed("alice"));
    const home = fleet.find(({ executions }) => executions.Unary > 0) as CountingServer;

    await home.stop();
    await events.first("endpoint.state", { endpoint: home.address, from: "READY" });
    const away = await sequentially(client, 5, keyed("alice"));
    await home.restart();
    await events.nth(2, "endpoint.state", { endpoint: home.address, to: "READY" });
    const back = await sequentially(client, 5, keyed("alice"));

    expect(endings([...away, ...back])).toEqual({ OK: 10 });
    expect(home.executions.Unary).toBe(6);
    expect(new Set(events.picks.slice(1, 6)).size).toBe(1);
  });

  it("fails no call as endpoints come and go, with keys and without", async () => {
    const fleet = await servers(4);
    const { client, channel, events } = stage.harden(fleet, RING);
    const addresses = fleet.map(({ address }) => address);

    const load = new EveryKind(client, once);
    for (let round = 0; round < 12; round++) {
      channel.updateEndpoints(addresses.filter((_, index) => index !== round % 4));
      await events.next("call.picked");
    }
    const ends = await load.stop();

    expect(Object.keys(ends)).toEqual(["OK"]);
  });

  it("moves, as consistent_hash, the keys of an endpoint that leaves and no other, and all back when it returns", async () => {
    const fleet = await servers(4);
    const { client, channel, events } = stage.harden(fleet, { loadBalancing: "consistent_hash" });
    const addresses = fleet.map(({ address }) => address);
    const keys = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    const homes = async (): Promise<string[]> => {
      const before = events.picks.length;
      for (const key of keys) await unary(client, "x", keyed(key));
      return events.picks.slice(before);
    };

    const before = await homes();
    const [gone] = before as [string];
    channel.updateEndpoints(addresses.filter((address) => address !== gone));
    const without = await homes();
    channel.updateEndpoints(addresses);
    const again = await homes();

    expect(without).not.toContain(gone);
    expect(without.filter((pick, at) => pick !== before[at])).toHaveLength(
      before.filter((pick) => pick === gone).length,
    );
    expect(again).toEqual(before);
  });

  it("says which endpoint failed when none can be reached (R130)", async () => {
    const fleet = await servers(2);
    const { client } = stage.harden(fleet, RING);
    for (const server of fleet) await server.stop();

    const result = await unary(client, "x", keyed("alice"));

    expect(endings([result])).toEqual({ "UNAVAILABLE DIAL_FAILED no": 1 });
  });
});

/** A policy of the test's own, under a name that is new. */
let registrations = 0;
function register(policy: Partial<PickerPolicy> & Pick<PickerPolicy, "create">): string {
  const name = `own_${registrations++}`;
  registerPicker(name, () => ({ name, connects: "all", ...policy }));
  return name;
}

function silenced(): string[] {
  const heard: string[] = [];
  const emit = vi
    .spyOn(process, "emitWarning")
    .mockImplementation((message) => void heard.push(String(message)));
  stage.use({ close: () => emit.mockRestore() });
  return heard;
}

describe("a policy of the user's own", () => {
  it("chooses by what it likes: here what discovery says of the endpoints", async () => {
    const fleet = await servers(3);
    const loadBalancing = register({
      create: ({ candidates }) => ({
        pick: (filter) =>
          candidates.find((one) => one.endpoint.metadata?.["tier"] === "gold" && filter.accepts(one)) ??
          candidates.find((one) => filter.accepts(one)) ??
          null,
      }),
    });
    const { client, channel } = stage.harden(fleet, { loadBalancing });
    channel.updateEndpoints(
      fleet.map(({ address }, index) => ({ address, metadata: { tier: index === 1 ? "gold" : "tin" } })),
    );
    await channel.ready({ endpoints: "all" });

    await sequentially(client, 6, once);

    expect(served(fleet)).toEqual([0, 6, 0]);
  });

  it("is given the options that stand beside its name", async () => {
    const fleet = await servers(2);
    const given: object[] = [];
    registerPicker("own_with_options", (options) => {
      given.push(options);
      return {
        name: "own_with_options",
        connects: "all",
        create: ({ candidates }) => ({ pick: () => candidates[0] as never }),
      };
    });
    const { client } = stage.harden(fleet, { loadBalancing: { policy: "own_with_options", shard: 7 } });

    await unary(client, "x", once);

    expect(given).toContainEqual({ shard: 7 });
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("oops");
      },
    ],
    ["answers a stranger", () => ({ endpoint: { address: "10.0.0.9:1" } }) as unknown as Candidate],
    ["answers nothing", () => null],
    ["answers a promise", () => Promise.reject(new Error("late")) as unknown as Candidate],
  ])("that %s costs no call: round robin chooses, and a warning says so once", async (_, pick) => {
    const warnings = silenced();
    const fleet = await servers(2);
    const loadBalancing = register({ create: () => ({ pick: pick as never }) });
    const { client, channel } = stage.harden(fleet, { loadBalancing });
    await channel.ready({ endpoints: "all" });

    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 10 });
    expect(served(fleet)).toEqual([5, 5]);
    expect(warnings.filter((text) => text.includes(loadBalancing))).toHaveLength(1);
  });

  it("that cannot be made at all costs no call either", async () => {
    silenced();
    const fleet = await servers(2);
    const loadBalancing = register({
      create: () => {
        throw new Error("no memory");
      },
    });
    const { client } = stage.harden(fleet, { loadBalancing });

    expect(endings(await sequentially(client, 4, once))).toEqual({ OK: 4 });
  });

  it.each<[string, () => unknown]>([
    ["has no name", () => ({ connects: "all", create: () => null })],
    ["has no method create()", () => ({ name: "x", connects: "all" })],
    ['has connects "alll"', () => ({ name: "x", connects: "alll", create: () => null })],
    ["has no name", async () => Promise.reject(new Error("late"))],
  ])("that %s is refused with the channel, under the name it was registered by", (what, factory) => {
    const name = `own_${registrations++}`;
    registerPicker(name, factory as () => PickerPolicy);

    const error = configErrorOf(() => stage.harden("static:///a:1", { loadBalancing: name }));

    expect(error.details).toContain(
      `loadBalancing: the policy that the function of registerPicker("${name}") answered ${what}`,
    );
  });

  it("has a name of its own, and one that is not known is refused with the nearest", async () => {
    register({ create: () => ({ pick: () => null }) });
    const name = `own_${registrations - 1}`;

    expect(() => registerPicker(name, () => null as never)).toThrow(/taken/);
    expect(() => registerPicker("round_robin", () => null as never)).toThrow(/taken/);
    expect(() => registerPicker("Not A Name", () => null as never)).toThrow(/allowed/);
    expect(() => registerPicker("no_function", {} as never)).toThrow(
      new TypeError("registerPicker: what no_function stands for is object; allowed: a function"),
    );
    expect(() => stage.harden("static:///a:1", { loadBalancing: "round_robbin" })).toThrow(/round_robin/);
  });
});

describe("subsetting", () => {
  it("connects to a subset only, and gives it all calls; one endpoint that leaves is replaced by one (R135)", async () => {
    const fleet = await servers(8);
    const sockets = stage.use(new ClientSockets());
    const { client, channel } = stage.harden(fleet, {
      subsetting: { policy: "random_subsetting", subsetSize: 3 },
    });
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 12, once);
    const before = channel.endpoints().map(({ address }) => address);
    const dialled = sockets.all.length;

    channel.updateEndpoints(fleet.map(({ address }) => address).filter((address) => address !== before[0]));
    await channel.ready({ endpoints: "all" });
    const after = channel.endpoints().map(({ address }) => address);

    expect([before.length, dialled, after.length]).toEqual([3, 3, 3]);
    expect(served(fleet).filter((count) => count > 0)).toEqual([4, 4, 4]);
    expect(after.filter((address) => before.includes(address))).toHaveLength(2);
    expect(sockets.all).toHaveLength(4);
  });

  it("of more endpoints than there are uses all", async () => {
    const fleet = await servers(2);
    const subsetting = { policy: "deterministic_subsetting" as const, subsetSize: 5, clientIndex: 3 };
    const { client, channel } = stage.harden(fleet, { subsetting });
    await channel.ready({ endpoints: "all" });

    await sequentially(client, 4, once);

    expect(served(fleet)).toEqual([2, 2]);
  });
});

describe("slow start", () => {
  it("gives a server that was restarted its share little by little, and all of it at the end", async () => {
    const clock = new LoopbackClock();
    const fleet = await servers(2);
    const [first, second] = fleet as [CountingServer, CountingServer];
    const options = { loadBalancing: "least_request", slowStartMs: 10_000 };
    const { client, channel, events } = stage.harden(fleet, options, { clock, random: new SeededRandom(3) });
    await channel.ready({ endpoints: "all" });
    await clock.advance(20_000);
    const share = async (): Promise<number> => {
      const before = served(fleet)[0] ?? 0;
      await sequentially(client, 100, callOptions({ retry: false, timeoutMs: 3_600_000 }));
      return (served(fleet)[0] ?? 0) - before;
    };

    const settled = await share();
    await first.restart();
    await events.first("endpoint.state", { endpoint: first.address, from: "READY" });
    const isBack = () => events.count("endpoint.state", { endpoint: first.address, to: "READY" }) >= 2;
    await advanceUntil(clock, isBack, "the reconnect", 500);
    const fresh = await share();
    await clock.advance(5_000);
    const half = await share();
    await clock.advance(6_000);
    const full = await share();

    expect([settled, full].every((count) => count > 35 && count < 65)).toBe(true);
    expect(fresh).toBeLessThan(25);
    expect(half).toBeGreaterThan(fresh);
    expect(half).toBeLessThan(50);
    expect(second.executions.Unary).toBeGreaterThan(200);
  });
});
