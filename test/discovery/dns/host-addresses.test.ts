import { describe, expect, it } from "vitest";
import type { AskFamily, FamilyAnswer } from "../../../src/discovery/dns/ask-family.js";
import { FamilyPatience } from "../../../src/discovery/dns/family-patience.js";
import { HostAddresses } from "../../../src/discovery/dns/host-addresses.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { dnsError } from "./scripted-queries.js";

type Reply = readonly string[] | Error;

/** A host with two ways to ask for it, whose answers the test sets. */
function twoFamilies(maxStaleMs: number | null = null) {
  const clock = new ManualClock();
  const replies: { four: Reply; six: Reply } = { four: ["10.0.0.1"], six: ["fd00::1"] };
  const way = (family: "four" | "six"): AskFamily => {
    return async () => {
      const reply = replies[family];
      if (reply instanceof Error) throw reply;
      return { addresses: reply, ttlMs: family === "four" ? 7_000 : 5_000 };
    };
  };
  const patience = new FamilyPatience(clock);
  const host = new HostAddresses("users", [way("four"), way("six")], { clock, maxStaleMs, patience });
  return { clock, host, replies };
}

describe("HostAddresses", () => {
  it("brings both families, and the shorter TTL of the two", async () => {
    const { host } = twoFamilies();

    await host.look();

    expect(host.addresses).toEqual(["10.0.0.1", "fd00::1"]);
    expect(host.ttlMs).toBe(5_000);
  });

  it("knows nothing before it has looked", () => {
    const { host } = twoFamilies();

    expect([host.addresses, host.ttlMs]).toEqual([[], null]);
  });

  it("is content with one family where the other fails from the start", async () => {
    const { host, replies } = twoFamilies();
    replies.six = dnsError("ESERVFAIL");

    await host.look();

    expect(host.addresses).toEqual(["10.0.0.1"]);
  });

  it("keeps what a family said last while it fails", async () => {
    const { host, replies } = twoFamilies();
    await host.look();

    Object.assign(replies, { four: ["10.0.0.2"], six: dnsError("ESERVFAIL") });
    await host.look();

    expect(host.addresses).toEqual(["10.0.0.2", "fd00::1"]);
  });

  it("drops a family that says that it has none", async () => {
    const { host, replies } = twoFamilies();
    await host.look();

    replies.six = dnsError("ENODATA");
    await host.look();

    expect(host.addresses).toEqual(["10.0.0.1"]);
  });

  it("gives a failing family up when it has been silent for maxStaleMs", async () => {
    const { clock, host, replies } = twoFamilies(60_000);
    await host.look();
    replies.six = dnsError("ESERVFAIL");

    await clock.advance(60_000);
    await host.look();
    const atTheLimit = host.addresses;
    await clock.advance(1);
    await host.look();

    expect(atTheLimit).toEqual(["10.0.0.1", "fd00::1"]);
    expect(host.addresses).toEqual(["10.0.0.1"]);
  });

  it("fails when no family brought an address, by the one that could not be asked", async () => {
    const { host, replies } = twoFamilies();
    await host.look();
    Object.assign(replies, { four: dnsError("ENODATA"), six: dnsError("ESERVFAIL") });

    await expect(host.look()).rejects.toThrow("ESERVFAIL");

    expect(host.addresses).toEqual(["fd00::1"]);
  });

  it("fails when there is no such name, and has no address any more", async () => {
    const { host, replies } = twoFamilies();
    await host.look();
    Object.assign(replies, { four: dnsError("ENOTFOUND"), six: dnsError("ENOTFOUND") });

    await expect(host.look()).rejects.toThrow("ENOTFOUND");

    expect(host.addresses).toEqual([]);
  });

  it("refuses an answer without any address, which would take every endpoint away", async () => {
    const { host, replies } = twoFamilies();
    Object.assign(replies, { four: [], six: [] });

    await expect(host.look()).rejects.toThrow('the lookup of "users" answered without any address');
  });

  it("refuses an answer that holds no IP address, and shows it", async () => {
    const { host, replies } = twoFamilies();
    Object.assign(replies, { four: ["10.0.0.1", "other.host"], six: [] });

    await expect(host.look()).rejects.toThrow('"other.host", which is no IP address');
  });

  it("does not let an answer that was overtaken replace the newer one", async () => {
    const clock = new ManualClock();
    const answers: ((addresses: readonly string[]) => void)[] = [];
    const ask: AskFamily = () =>
      new Promise((resolve) => {
        answers.push((addresses) => resolve({ addresses, ttlMs: null }));
      });
    const patience = new FamilyPatience(clock);
    const host = new HostAddresses("users", [ask], { clock, maxStaleMs: null, patience });
    const first = host.look();
    await clock.advance(1);
    const second = host.look();

    answers[1]?.(["10.0.0.2"]);
    answers[0]?.(["10.0.0.1"]);
    await Promise.all([first, second]);

    expect(host.addresses).toEqual(["10.0.0.2"]);
  });

  it("does not ask a late family again while the newest question to it is under way", async () => {
    const clock = new ManualClock();
    const questions: ((failure: Error) => void)[] = [];
    const silent: AskFamily = () => new Promise((_, reject) => void questions.push(reject));
    let four: Promise<FamilyAnswer> = new Promise(() => {});
    const patience = new FamilyPatience(clock);
    const deps = { clock, maxStaleMs: null, patience };
    const host = new HostAddresses("users", [() => four, silent], deps);
    void host.look();
    four = Promise.resolve({ addresses: ["10.0.0.1"], ttlMs: null });
    const second = host.look();
    await clock.advance(200);
    await second;

    questions[0]?.(dnsError("ETIMEOUT"));
    await settle();
    await host.look();

    expect(questions).toHaveLength(2);
  });
});
