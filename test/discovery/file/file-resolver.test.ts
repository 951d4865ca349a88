import { describe, expect, it } from "vitest";
import { FileResolver } from "../../../src/discovery/file/file-resolver.js";
import { discoveryOptionsSchema } from "../../../src/discovery/index.js";
import { ManualClock } from "../../support/manual-clock.js";
import { resolverContract } from "../resolver-contract.js";
import { ScriptedFile } from "./scripted-files.js";
import { fileTarget, PATH, POLL_MS, startedFileResolver } from "./started-file-resolver.js";

resolverContract("file", () => {
  const clock = new ManualClock();
  const file = new ScriptedFile("[a:1]");
  const options = discoveryOptionsSchema.parse({ filePollMs: 60_000 });
  const resolver = new FileResolver(fileTarget(), { clock, env: {} }, options, file);
  return { resolver, clock, questions: () => file.looks + file.reads };
});

describe("a file of endpoints", () => {
  it("is read at once at the start", async () => {
    const { listener, resolver } = await startedFileResolver(
      new ScriptedFile("[a:1, {address: b:2, weight: 3}]"),
    );

    expect(listener.sets).toEqual([[{ address: "a:1" }, { address: "b:2", weight: 3 }]]);
    expect(resolver.isWatching).toBe(true);
  });

  it("is looked at, and not read, while it stays the same", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);

    await looks(10);

    expect([file.reads, listener.events]).toEqual([1, 1]);
    expect(file.looks).toBe(12);
  });

  it("is read again when it has changed and two looks in a row saw the same", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);

    file.write("[a:1, b:2]");
    await looks(1);
    const afterOne = listener.addresses.length;
    await looks(1);

    expect(afterOne).toBe(1);
    expect(listener.addresses).toEqual([["a:1"], ["a:1", "b:2"]]);
  });

  it("is not read half written", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);

    for (const part of ["- a:1\n", "- a:1\n- b:", "- a:1\n- b:2\n"]) {
      file.write(part);
      await looks(1);
    }
    await looks(1);

    expect(listener.addresses).toEqual([["a:1"], ["a:1", "b:2"]]);
    expect(listener.errors).toEqual([]);
  });

  it("that is written while it is read is read again", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);
    file.write("- b:2\n");
    file.onRead = () => {
      file.onRead = () => {};
      file.write("- b:2\n- c:3\n");
    };

    await looks(3);

    expect(listener.addresses).toEqual([["a:1"], ["b:2", "c:3"]]);
  });

  it("that never comes to rest is read all the same", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);

    for (let write = 1; write <= 10; write++) {
      file.write(`[a:${write + 1}]`);
      await looks(1);
    }

    expect(listener.addresses).toEqual([["a:1"], ["a:11"]]);
  });

  it("is to come to rest again after that", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);

    for (let write = 1; write <= 19; write++) {
      file.write(`[a:${write + 1}]`);
      await looks(1);
    }

    expect(listener.addresses).toEqual([["a:1"], ["a:11"]]);
  });

  it("that is replaced faster than it can be looked at twice is read all the same, and again", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);
    let next = 2;
    const replace = () => file.replace(`[a:${next++}]`);
    file.onRead = replace;

    for (let look = 1; look <= 20; look++) {
      replace();
      await looks(1);
    }

    expect(listener.addresses).toEqual([["a:1"], ["a:11"], ["a:22"]]);
    expect(listener.errors).toEqual([]);
  });

  it("that is replaced so fast from the start is read once its tenth change has been seen", async () => {
    const file = new ScriptedFile("[a:1]");
    file.onRead = () => file.replace("[a:2]");
    const { listener, looks } = await startedFileResolver(file);

    for (let look = 1; look <= 8; look++) {
      file.replace("[a:1]");
      await looks(1);
    }
    const before = listener.events;
    file.replace("[a:3]");
    await looks(1);

    expect(before).toBe(0);
    expect(listener.addresses).toEqual([["a:3"]]);
  });

  it("that was read so is read once more when it comes to rest", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);
    file.onRead = () => file.replace("[b:2]");
    for (let look = 1; look <= 10; look++) {
      file.replace("[a:1]");
      await looks(1);
    }

    file.onRead = () => {};
    await looks(5);

    expect(listener.addresses).toEqual([["a:1"], ["a:1"], ["b:2"]]);
  });

  it("reports an empty list as one", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks, resolver } = await startedFileResolver(file);

    file.write("endpoints: []");
    await looks(2);

    expect(listener.sets).toEqual([[{ address: "a:1" }], []]);
    expect(resolver.isWatching).toBe(true);
  });

  it("goes through the proxy of the environment as a static target does, unless it says otherwise", async () => {
    const file = new ScriptedFile("[a:1, {address: b:2, isProxied: false}, c.svc:3, unix:/s]");
    const env = { http_proxy: "http://proxy:3128", no_proxy: ".svc" };

    const { listener } = await startedFileResolver(file, { env });

    expect(listener.sets[0]).toEqual([
      { address: "a:1", isProxied: true },
      { address: "b:2", isProxied: false },
      { address: "c.svc:3" },
      { address: "unix:/s" },
    ]);
  });
});

describe("a file of endpoints that cannot be used", () => {
  it("is told of by path and reason, once, and watched no longer", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks, resolver } = await startedFileResolver(file);

    file.remove();
    await looks(10);

    expect(listener.messages).toEqual([`the file ${PATH} cannot be read: it is not there`]);
    expect(resolver.isWatching).toBe(false);
  });

  it("is told of again when something else is wrong", async () => {
    const file = new ScriptedFile();
    const { listener, looks } = await startedFileResolver(file);

    file.remove(new Error("EACCES: permission denied"));
    await looks(3);

    expect(listener.messages).toEqual([
      `the file ${PATH} cannot be read: it is not there`,
      `the file ${PATH} cannot be read: EACCES: permission denied`,
    ]);
  });

  it("is used when it is there again, the same or another", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks, resolver } = await startedFileResolver(file);

    for (let time = 0; time < 2; time++) {
      file.remove();
      await looks(1);
      file.write("[a:1]");
      await looks(2);
    }

    expect(listener.addresses).toEqual([["a:1"], ["a:1"], ["a:1"]]);
    expect(listener.messages).toHaveLength(2);
    expect(resolver.isWatching).toBe(true);
  });

  it("is believed again when it is readable again, though nothing of it has changed", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);
    file.remove(new Error("EACCES: permission denied"));
    await looks(1);

    file.bringBack();
    await looks(2);

    expect(listener.addresses).toEqual([["a:1"], ["a:1"]]);
  });

  it("is not read where it is too big", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks } = await startedFileResolver(file);

    file.write(new Uint8Array(16 * 1024 * 1024 + 1));
    await looks(3);

    expect(listener.messages).toEqual([
      `the file ${PATH} is wrong: it has 16777217 bytes; allowed: 16777216 or less`,
    ]);
    expect(file.reads).toBe(1);
  });

  it.each<[string, string | Uint8Array, string]>([
    ["is broken YAML", "- a:1\n\t- b:2", "line 2, column 1: "],
    ["names no address", "[a]", 'endpoints.0, "a": the address "a" has no port; write host:port'],
    ["is empty", "", "it is empty; allowed: a list of addresses, [] for none"],
    ["is no text", Buffer.from([0x5b, 0xff, 0x5d]), "it is no UTF-8 text"],
  ])("%s: says so once, and is read once", async (_, content, problem) => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks, resolver } = await startedFileResolver(file);
    const readBefore = file.reads;

    file.write(content);
    await looks(10);

    expect(listener.messages).toHaveLength(1);
    expect(listener.messages[0]).toContain(`the file ${PATH} is wrong: ${problem}`);
    expect(file.reads - readBefore).toBe(1);
    expect(resolver.isWatching).toBe(false);
  });

  it("is told of once when it is written to without a pause, and used when that is over", async () => {
    const file = new ScriptedFile("[a:1]");
    const { listener, looks, resolver } = await startedFileResolver(file);
    file.onRead = () => file.write("- a:1\n- b:");
    for (let look = 1; look <= 30; look++) {
      file.write("- a:1\n");
      await looks(1);
    }
    const during = { sets: listener.sets.length, isWatching: resolver.isWatching };

    file.onRead = () => {};
    file.write("[a:1]");
    await looks(2);

    expect(during).toEqual({ sets: 1, isWatching: false });
    expect(listener.messages).toEqual([
      `the file ${PATH} cannot be read: it never stands still: 10 looks and reads found it changed, and it is written to while it is read`,
    ]);
    expect(listener.addresses).toEqual([["a:1"], ["a:1"]]);
    expect(resolver.isWatching).toBe(true);
  });

  it("is believed again when a link leads back to the file that was read before", async () => {
    const now = { stamp: "first", isSteady: true };
    const { listener, looks } = await startedFileResolver({
      look: async () => ({ stamp: now.stamp, sizeBytes: 5 }),
      read: async () => {
        if (!now.isSteady) now.stamp += "+";
        return { bytes: Buffer.from("[a:1]"), isSteady: now.isSteady };
      },
    });
    Object.assign(now, { stamp: "second", isSteady: false });
    await looks(20);

    Object.assign(now, { stamp: "first", isSteady: true });
    await looks(2);

    expect(listener.messages).toHaveLength(1);
    expect(listener.addresses).toEqual([["a:1"], ["a:1"]]);
  });

  it("is told of as well when it is written to at each read only", async () => {
    const file = new ScriptedFile("[a:1]");
    file.onRead = () => file.write("[a:1]");

    const { listener, looks } = await startedFileResolver(file);
    await looks(20);

    expect(listener.messages).toHaveLength(1);
    expect(listener.sets).toEqual([]);
  });

  it("recovers by itself when it is put right", async () => {
    const file = new ScriptedFile("nothing");
    const { listener, looks, resolver } = await startedFileResolver(file);

    file.write("[b:2]");
    await looks(2);

    expect(listener.messages).toHaveLength(1);
    expect(listener.addresses).toEqual([["b:2"]]);
    expect(resolver.isWatching).toBe(true);
  });
});

describe("a file server that hangs", () => {
  it("is told of after lookupTimeoutMs, and asked nothing more until it answers", async () => {
    const file = new ScriptedFile("[a:1]");
    const { clock, listener, looks } = await startedFileResolver(file, {
      options: { lookupTimeoutMs: 2_000 },
    });
    const before = file.looks;

    file.hang();
    await looks(1);
    await clock.advance(60_000);

    expect(listener.messages).toEqual([`the file ${PATH} gave no answer within 2000 ms`]);
    expect(file.looks - before).toBe(1);
  });

  it("is believed again when it goes on, with the answer it gave before", async () => {
    const file = new ScriptedFile("[a:1]");
    const { clock, listener, resolver } = await startedFileResolver(file);
    file.hang();
    await clock.advance(POLL_MS + 5_000);

    file.goOn();
    await clock.advance(0);

    expect(listener.addresses).toEqual([["a:1"], ["a:1"]]);
    expect(resolver.isWatching).toBe(true);
  });

  it("is not heard any more after close, and holds no timer", async () => {
    const file = new ScriptedFile("[a:1]");
    const { clock, listener, resolver } = await startedFileResolver(file);
    file.write("[b:2]");
    file.hang();
    await clock.advance(POLL_MS);

    resolver.close();
    file.goOn();
    await clock.advance(60_000);

    expect(listener.events).toBe(1);
    expect([clock.pendingTimers, resolver.isWatching]).toEqual([0, false]);
  });
});
