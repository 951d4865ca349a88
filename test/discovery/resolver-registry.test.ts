import { Holdfast, harden } from "holdfast";
import { afterEach, describe, expect, it } from "vitest";
import type { Subscription } from "../../src/core/index.js";
import { createResolver } from "../../src/discovery/create-resolver.js";
import {
  discoveryOptionsSchema,
  parseTarget,
  type Resolver,
  type ResolverFactory,
  type ResolverListener,
  type ResolverTarget,
  registerResolver,
} from "../../src/discovery/index.js";
import { counterClient, unary } from "../support/counting-server.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { ending, failureOf, Stage } from "../support/stage.js";
import { noChannel } from "./no-channel.js";
import { RecordingListener } from "./recording-listener.js";

const stage = new Stage();
const subscriptions: Subscription[] = [];

afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.dispose();
});

/** Registers it for one test. */
function register(scheme: string, factory: ResolverFactory): Subscription {
  const subscription = registerResolver(scheme, factory);
  subscriptions.push(subscription);
  return subscription;
}

/** A resolver of somebody's own that is as short as it can be. */
class OwnResolver implements Resolver {
  listener: ResolverListener | null = null;
  isClosed = false;

  constructor(
    readonly target: string,
    private readonly addresses: readonly string[],
  ) {}

  start(listener: ResolverListener): void {
    this.listener = listener;
    this.give(this.addresses);
  }

  give(addresses: readonly string[]): void {
    this.listener?.onEndpoints(addresses.map((address) => ({ address })));
  }

  refresh(): void {}

  close(): void {
    this.isClosed = true;
  }
}

/** A factory that notes what it is asked, and makes resolvers of these addresses. */
function ownScheme(...addresses: string[]) {
  const made: OwnResolver[] = [];
  const asked: ResolverTarget[] = [];
  const factory: ResolverFactory = {
    create: (target) => {
      asked.push(target);
      const resolver = new OwnResolver(target.canonical, addresses);
      made.push(resolver);
      return resolver;
    },
  };
  return { factory, made, asked };
}

describe("registerResolver", () => {
  it.each(["", "Mine", "1st", "my scheme", "mine:", "m".repeat(65), 5])(
    "refuses %j, which is no scheme",
    (scheme) => {
      expect(() => registerResolver(scheme as string, ownScheme().factory)).toThrow(
        `registerResolver: ${JSON.stringify(scheme)} is no scheme; allowed: a-z, 0-9, +, - and ., a letter first`,
      );
    },
  );

  it.each(["static", "dns", "consul", "etcd", "file", "unix", "xds", "https"])(
    "leaves %s what it is",
    (scheme) => {
      expect(() => registerResolver(scheme, ownScheme().factory)).toThrow(`the scheme ${scheme} is taken`);
    },
  );

  it("gives a scheme away once", () => {
    register("mine", ownScheme().factory);

    expect(() => registerResolver("mine", ownScheme().factory)).toThrow("the scheme mine is taken");
  });

  it.each([null, {}, () => {}])("refuses %j, which makes no resolvers", (factory) => {
    expect(() => registerResolver("mine", factory as never)).toThrow(
      "the factory of mine has no function create",
    );
    expect(parseTarget("mine:///x")).toMatchObject({ ok: false });
  });

  it("takes the scheme away when it is disposed, twice or not, and leaves another's alone", () => {
    const first = register("mine", ownScheme().factory);

    first.dispose();
    register("mine", ownScheme().factory);
    first.dispose();

    expect(parseTarget("mine:///x")).toMatchObject({ ok: true });
  });

  it("is undone without a trace", () => {
    register("mine", ownScheme().factory).dispose();

    expect(parseTarget("mine:///x")).toEqual({
      ok: false,
      problems: [expect.stringContaining('has the unknown scheme "mine"')],
    });
  });

  it("offers its scheme to who misspells it", () => {
    register("zookeeper", ownScheme().factory);

    expect(parseTarget("zookeper:///x")).toMatchObject({ problems: [expect.stringContaining("zookeeper")] });
  });
});

describe("a target of an own scheme", () => {
  it.each([
    [
      "mine://host:1/a/b?c=d#e",
      { authority: "host:1", path: "a/b?c=d#e", canonical: "mine://host:1/a/b?c=d#e" },
    ],
    ["mine:///a", { authority: "", path: "a", canonical: "mine:///a" }],
    ["MINE:a", { authority: "", path: "a", canonical: "mine:a" }],
  ])("%s reaches the factory cut at its seams", (target, parts) => {
    const { factory, asked } = ownScheme();
    register("mine", factory);

    open(target).start(new RecordingListener());

    expect(asked).toEqual([{ scheme: "mine", ...parts }]);
  });

  it("is a host where a port follows", () => {
    register("mine", ownScheme().factory);

    expect(parseTarget("mine:8080")).toMatchObject({ scheme: "dns", host: "mine", port: 8080 });
  });

  it("is refused for what the factory's own check says", () => {
    register("mine", {
      ...ownScheme().factory,
      check: ({ path }) => (path === "" ? ["the path is missing"] : []),
    });

    expect(parseTarget("mine:///")).toEqual({ ok: false, problems: ["the path is missing"] });
    expect(parseTarget("mine:///x")).toMatchObject({ ok: true });
  });

  it("is refused where the check throws, with what it says", () => {
    const check = () => {
      throw new Error("no network");
    };
    register("mine", { ...ownScheme().factory, check });

    expect(parseTarget("mine:///x")).toEqual({
      ok: false,
      problems: ['the target "mine:///x" could not be checked by the resolver of mine: no network'],
    });
  });

  it.each([
    [undefined, { ok: true }],
    ["no", { ok: false, problems: ["no"] }],
  ])("bears a check that answers %j", (answer, parsed) => {
    register("mine", { ...ownScheme().factory, check: () => answer as never });

    expect(parseTarget("mine:///x")).toMatchObject(parsed);
  });

  it("fails by what its factory throws", async () => {
    const create = () => {
      throw new Error("no licence");
    };
    register("mine", { create });
    const listener = new RecordingListener();

    open("mine:///x").start(listener);
    await settle();

    expect(listener.messages).toEqual(["no licence"]);
  });
});

describe("a channel to an own scheme", () => {
  it("calls the endpoints that its resolver gives, follows them, and closes it at its end", async () => {
    const [first, second] = [await stage.server(), await stage.server()];
    const { factory, made } = ownScheme(first.address);
    register("mine", factory);
    const { client, channel, events } = stage.harden("mine:///users");
    await unary(client, "before");

    made[0]?.give([second.address]);
    await events.nth(2, "resolver.endpoints");
    const result = await unary(client, "after");
    await channel.close();

    expect(ending(result)).toBe("OK");
    expect([first.executions.Unary, second.executions.Unary]).toEqual([1, 1]);
    expect(made.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  it("keeps its resolver when the scheme is taken away, also after it was idle", async () => {
    const server = await stage.server();
    const { factory, made } = ownScheme(server.address);
    const registration = register("mine", factory);
    const clock = new ManualClock();
    const { client } = stage.harden("mine:///users", { idleTimeoutMs: 1_000 }, { clock });
    await unary(client, "before");

    registration.dispose();
    await clock.advance(5_000);
    const result = await unary(client, "after");

    expect(ending(result)).toBe("OK");
    expect(made).toHaveLength(2);
  });

  it("believes no set that is none, and goes on with the last good one", async () => {
    const server = await stage.server();
    const { factory, made } = ownScheme(server.address);
    register("mine", factory);
    const { client, events } = stage.harden("mine:///users");
    await unary(client, "before");

    made[0]?.give(["nonsense"]);
    const failed = await events.first("resolver.failed");

    expect(failed).toMatchObject({ source: "mine:///users", keptEndpoints: 1 });
    expect(failed.error).toContain('the address "nonsense" has no port');
    expect(ending(await unary(client, "after"))).toBe("OK");
  });

  it("whose factory throws fails its calls with what it says", async () => {
    const create = () => {
      throw new Error("no licence");
    };
    register("mine", { create });
    const { client } = stage.harden("mine:///users", { retry: false });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ reason: "DISCOVERY_FAILED", processed: "no" });
    expect(error.details).toContain("mine:///users: no licence");
  });

  it("may stand in a list of targets, and below a stub", async () => {
    const server = await stage.server();
    register("mine", ownScheme(server.address).factory);
    const stub = stage.use(counterClient("localhost:1"));
    const target = ["mine:///users", "static:///127.0.0.1:1"];
    const hardened = stage.use(harden(stub, { target, insecure: true }));

    expect(ending(await unary(hardened, "x"))).toBe("OK");
  });

  it("may stand in a configuration", async () => {
    const server = await stage.server();
    register("mine", ownScheme(server.address).factory);
    const holdfast = stage.use(
      Holdfast.fromObject({ channels: { users: { target: "mine:///users", insecure: true } } }),
    );

    await holdfast.channel("users").ready();

    expect(holdfast.channel("users").endpoints()).toMatchObject([
      { address: server.address, state: "READY" },
    ]);
  });
});

function open(target: string): Resolver {
  const parsed = parseTarget(target);
  if (!parsed.ok || parsed.scheme === "passthrough") throw new Error(JSON.stringify(parsed));
  const deps = {
    clock: new ManualClock(),
    random: fixedRandom(0.5),
    lookup: () => Promise.reject(new Error("nobody is looked up")),
    env: {},
    openChannel: noChannel,
  };
  return createResolver(parsed, deps, discoveryOptionsSchema.parse({}));
}
