import { type CallCredentials, Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { CredentialsContext } from "../../src/call/credentials-fetcher.js";
import { refreshingCredentials } from "../../src/call/refreshing-credentials.js";
import { configErrorOf } from "../support/config-error.js";
import { ManualClock, settle } from "../support/manual-clock.js";

const ASKED = { method_name: "/test.Echo/Say", service_url: "https://users.example/test.Echo" };
const OTHER = { method_name: "/test.Echo/Shout", service_url: ASKED.service_url };
type Fetch = Parameters<typeof refreshingCredentials>[0];

/** Numbers its tokens, and keeps what it was asked; answers when the test says so if it is told to. */
function tokenServer({ isHeld = false } = {}) {
  const asked: CredentialsContext[] = [];
  const held: (() => void)[] = [];
  const fetch: Fetch = async (context) => {
    const number = asked.push(context);
    if (isHeld) await new Promise<void>((resolve) => void held.push(resolve));
    return { authorization: `token ${number}` };
  };
  return { asked, fetch, refreshes: () => asked.filter(({ isRefresh }) => isRefresh).length, held };
}

async function tokenOf(credentials: CallCredentials, asked = ASKED): Promise<unknown> {
  return (await credentials.generateMetadata(asked)).get("authorization")[0];
}

/** What grpc-js makes the call's status of. */
async function failureOf(fetch: unknown): Promise<{ code?: unknown; message: string }> {
  const credentials = refreshingCredentials(fetch as Fetch);
  return credentials.generateMetadata(ASKED).then(
    () => ({ message: "succeeded" }),
    (error) => error,
  );
}

describe("B10: credentials that are fetched", () => {
  it("are asked for by every attempt, with its method and service", async () => {
    const server = tokenServer();
    const credentials = refreshingCredentials(server.fetch);

    expect([await tokenOf(credentials), await tokenOf(credentials, OTHER)]).toEqual(["token 1", "token 2"]);

    expect(server.asked).toEqual([
      { method: "/test.Echo/Say", serviceUrl: "https://users.example/test.Echo", isRefresh: false },
      { method: "/test.Echo/Shout", serviceUrl: "https://users.example/test.Echo", isRefresh: false },
    ]);
  });

  it.each<[string, Fetch]>([
    ["at once as an object", () => ({ authorization: "t" })],
    ["later as an object", async () => ({ authorization: "t" })],
    [
      "as Metadata",
      () => {
        const metadata = new Metadata();
        metadata.set("authorization", "t");
        return metadata;
      },
    ],
    [
      "as Metadata of another copy of grpc-js",
      () => ({ toHttp2Headers: () => ({ authorization: ["t"] }) }) as unknown as Metadata,
    ],
  ])("may be given %s", async (_how, fetch) => {
    expect(await tokenOf(refreshingCredentials(fetch))).toBe("t");
  });

  it("may be none", async () => {
    expect((await refreshingCredentials(() => ({})).generateMetadata(ASKED)).getMap()).toEqual({});
  });
});

describe("B10: credentials that were not accepted", () => {
  it("are fetched anew once, by the next that asks", async () => {
    const server = tokenServer();
    const credentials = refreshingCredentials(server.fetch);
    await tokenOf(credentials);

    credentials.refresh();
    await tokenOf(credentials);
    await tokenOf(credentials);

    expect(server.asked.map(({ isRefresh }) => isRefresh)).toEqual([false, true, false]);
  });

  it("are fetched once for all calls that were refused together", async () => {
    const server = tokenServer({ isHeld: true });
    const credentials = refreshingCredentials(server.fetch);

    credentials.refresh();
    credentials.refresh();
    const tokens = Promise.all([tokenOf(credentials), tokenOf(credentials), tokenOf(credentials)]);
    await settle();
    credentials.refresh();
    server.held[0]?.();

    expect(await tokens).toEqual(["token 1", "token 1", "token 1"]);
    expect(server.asked).toHaveLength(1);
    expect(credentials.generation).toBe(1);
  });

  it("are not fetched again for a call that was refused with what was replaced since", async () => {
    const server = tokenServer();
    const credentials = refreshingCredentials(server.fetch);
    const before = credentials.generation;
    credentials.refresh(before);
    await tokenOf(credentials);

    credentials.refresh(before);
    await tokenOf(credentials);

    expect(server.refreshes()).toBe(1);
  });

  it.each([OTHER, { ...ASKED, service_url: "https://other.example/test.Echo" }])(
    "are asked for again, not shared, where they may be for one audience or method only: %j",
    async (elsewhere) => {
      const server = tokenServer({ isHeld: true });
      const credentials = refreshingCredentials(server.fetch);
      credentials.refresh();
      const tokens = Promise.all([tokenOf(credentials), tokenOf(credentials, elsewhere)]);
      await settle();
      server.held[0]?.();
      await settle();
      server.held[1]?.();

      expect(await tokens).toEqual(["token 1", "token 2"]);
      expect(server.asked.map(({ isRefresh }) => isRefresh)).toEqual([true, false]);
    },
  );

  it("are fetched anew by the next call when that failed", async () => {
    let isDown = true;
    const seen: boolean[] = [];
    const credentials = refreshingCredentials(({ isRefresh }) => {
      seen.push(isRefresh);
      if (isDown) throw new Error("down");
      return { authorization: "t" };
    });
    credentials.refresh();

    await expect(tokenOf(credentials)).rejects.toThrow("down");
    isDown = false;
    expect(await tokenOf(credentials)).toBe("t");

    expect(seen).toEqual([true, true]);
    expect(credentials.generation).toBe(1);
  });
});

describe("a fetch of credentials that fails", () => {
  const coded = (code: unknown) => () => Promise.reject(Object.assign(new Error("down"), { code }));

  it.each<[string, unknown, object]>([
    ["by throwing", () => raise(new Error("no token")), { code: status.UNAVAILABLE, message: "no token" }],
    [
      "by rejecting",
      () => Promise.reject(new Error("no token")),
      { code: status.UNAVAILABLE, message: "no token" },
    ],
    ["with nothing", () => Promise.reject(undefined), { code: status.UNAVAILABLE, message: "undefined" }],
    ["with null", () => raise(null), { code: status.UNAVAILABLE, message: "null" }],
    ["with a text", () => raise("no token"), { code: status.UNAVAILABLE, message: "no token" }],
    ["with a status", coded(status.UNAUTHENTICATED), { code: status.UNAUTHENTICATED, message: "down" }],
    ["R164: with an application's status", coded(5), { code: status.INTERNAL, message: "5 NOT_FOUND: down" }],
    ["R164: with OK", coded(0), { code: status.INTERNAL, message: "0 OK: down" }],
    ["with the status of HTTP", coded(503), { code: status.UNAVAILABLE, message: "down" }],
    ["with a system error", coded("ECONNREFUSED"), { code: status.UNAVAILABLE, message: "down" }],
  ])("%s says why, with a status that gRPC has", async (_how, fetch, expected) => {
    expect(await failureOf(fetch)).toMatchObject(expected);
  });

  it.each<[unknown, string]>([
    [undefined, "gave a value of type undefined; allowed: Metadata, or an object of strings"],
    [null, "gave null"],
    ["Bearer s3cret", "gave a value of type string"],
    [["s3cret"], "gave an array"],
    [new Map([["authorization", "s3cret"]]), "gave a Map"],
    [{ authorization: 7 }, 'gave a value of type number for "authorization"; allowed: a string'],
    [{ authorization: "s3cret\n" }, 'gave "authorization", where the key, or its value'],
    [{ "no key": "s3cret" }, 'gave "no key", where'],
    [{ "token-bin": "s3cret" }, 'gave "token-bin", where'],
  ])("by giving what is none says so, and no secret", async (given, expected) => {
    const failure = await failureOf(() => given);

    expect(failure.code).toBe(status.INTERNAL);
    expect(failure.message).toContain(expected);
    expect(failure.message).not.toContain("s3cret");
  });

  it("by staying silent ends after its time, and the next call asks again", async () => {
    const clock = new ManualClock();
    const server = tokenServer({ isHeld: true });
    const credentials = refreshingCredentials(server.fetch, { fetchTimeoutMs: 200 }, { clock });
    credentials.refresh();
    const both = [tokenOf(credentials), tokenOf(credentials)];
    const failures = Promise.all(both.map((token) => token.catch((error) => error)));
    await clock.advance(200);

    expect(await failures).toEqual(
      Array(2).fill(
        expect.objectContaining({
          code: status.UNAVAILABLE,
          message: "the fetch of credentials did not answer within 200 ms",
        }),
      ),
    );
    const next = tokenOf(credentials);
    await settle();
    server.held[1]?.();
    expect(await next).toBe("token 2");
    expect(server.refreshes()).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });
});

it.each<[() => unknown, string]>([
  [() => refreshingCredentials(undefined as never), "fetch is undefined; allowed: a function"],
  [() => refreshingCredentials(() => ({}), { fetchTimeoutMs: 0 }), "fetchTimeoutMs is 0; allowed: 1 or more"],
  [() => refreshingCredentials(() => ({}), { timeoutMs: 5 } as never), "timeoutMs is not a known key"],
])("bad input is refused where it is given: %s", (make, expected) => {
  expect(configErrorOf(make).details).toContain(`refreshingCredentials: `);
  expect(configErrorOf(make).details).toContain(expected);
});

function raise(error: unknown): never {
  throw error;
}
