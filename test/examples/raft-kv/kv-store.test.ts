import type { KvCommand } from "holdfast";
import { describe, expect, it } from "vitest";
import { KvStore, MAX_VALUE_BYTES } from "../../../examples/raft-kv/kv/kv-store.js";

const OK = { err: "OK", value: "" };
const TOO_LARGE = { err: "ErrValueTooLarge", value: "" };

function command(op: KvCommand["op"], commandId: bigint, value = "", clientId = 7n): KvCommand {
  return { op, key: "k", value, clientId, commandId };
}

function valueIn(store: KvStore): string {
  return store.apply(command("get", 0n)).value;
}

it("tells a missing key from an empty value", () => {
  const store = new KvStore();

  expect(store.apply(command("get", 0n))).toEqual({ err: "ErrNoKey", value: "" });
  store.apply(command("put", 0n, ""));
  expect(store.apply(command("get", 0n))).toEqual({ err: "OK", value: "" });
});

it("appends to what is there, and makes the key when there is none", () => {
  const store = new KvStore();

  store.apply(command("append", 0n, "a"));
  store.apply(command("append", 1n, "b"));

  expect(valueIn(store)).toBe("ab");
});

it("applies a write once, however often it comes", () => {
  const store = new KvStore();

  const replies = [1, 2, 3].map(() => store.apply(command("append", 0n, "x")));

  expect(replies).toEqual([OK, OK, OK]);
  expect(valueIn(store)).toBe("x");
});

it("drops a write that a later one of its client has passed, and says OK", () => {
  const store = new KvStore();
  store.apply(command("append", 5n, "later"));

  expect(store.apply(command("append", 4n, "early"))).toEqual(OK);
  expect(valueIn(store)).toBe("later");
});

it("keeps clients apart", () => {
  const store = new KvStore();
  store.apply(command("append", 5n, "a", 1n));

  store.apply(command("append", 5n, "b", 2n));

  expect(valueIn(store)).toBe("ab");
});

it("answers every read anew, whatever its id, and lets it pass no write", () => {
  const store = new KvStore();
  store.apply(command("put", 3n, "old"));
  store.apply(command("get", 9n));
  store.apply(command("put", 4n, "new"));

  expect(store.apply(command("get", 1n)).value).toBe("new");
});

it("knows a repeated write before it is proposed again", () => {
  const store = new KvStore();
  store.apply(command("put", 3n, "v"));

  expect([2n, 3n, 4n].map((id) => store.replyOf(command("put", id)))).toEqual([OK, OK, null]);
  expect(store.replyOf(command("get", 3n))).toBeNull();
  expect(store.replyOf(command("put", 3n, "", 8n))).toBeNull();
});

it("applies a repeated write again when a test takes the rule away", () => {
  class Forgetful extends KvStore {
    protected override isDuplicate(): boolean {
      return false;
    }
  }
  const store = new Forgetful();

  for (const _ of [1, 2]) store.apply(command("append", 0n, "x"));

  expect(valueIn(store)).toBe("xx");
});

it("counts the bytes of keys and values as UTF-8", () => {
  const store = new KvStore();

  store.apply(command("put", 0n, "é"));
  expect(store.bytes).toBe(3);
  store.apply(command("append", 1n, "é!"));
  expect(store.bytes).toBe(6);
  store.apply(command("put", 2n, ""));
  expect(store.bytes).toBe(1);
});

describe("a value that would become longer than 1 MiB", () => {
  const full = "x".repeat(MAX_VALUE_BYTES);

  it("is refused, and the value stays what it was", () => {
    const store = new KvStore();
    expect(store.apply(command("put", 0n, full))).toEqual(OK);
    const { bytes } = store;

    expect(store.apply(command("append", 1n, "y"))).toEqual(TOO_LARGE);
    expect(store.apply(command("put", 2n, `${full}y`))).toEqual(TOO_LARGE);

    expect(valueIn(store)).toBe(full);
    expect(store.bytes).toBe(bytes);
    expect(store.apply(command("append", 3n, ""))).toEqual(OK);
    expect(store.apply(command("put", 4n, "short"))).toEqual(OK);
    expect(store.apply(command("append", 5n, "!"))).toEqual(OK);
    expect(valueIn(store)).toBe("short!");
  });

  it("makes no key that was not there", () => {
    const store = new KvStore();

    for (const op of ["put", "append"] as const)
      expect(store.apply(command(op, op === "put" ? 0n : 1n, `${full}y`))).toEqual(TOO_LARGE);

    expect(store.apply(command("get", 0n))).toEqual({ err: "ErrNoKey", value: "" });
    expect(store.bytes).toBe(0);
  });

  it("is measured in bytes, not in characters", () => {
    const store = new KvStore();
    store.apply(command("put", 0n, "é".repeat(MAX_VALUE_BYTES / 2)));

    expect(store.apply(command("append", 1n, "y"))).toEqual(TOO_LARGE);
  });

  it("is refused again when the write is repeated, though there would be room by then", () => {
    const store = new KvStore();
    store.apply(command("put", 0n, full, 1n));
    const append = command("append", 0n, "y", 2n);
    expect(store.apply(append)).toEqual(TOO_LARGE);
    store.apply(command("put", 1n, "", 1n));

    expect(store.replyOf(append)).toEqual(TOO_LARGE);
    expect(store.apply(append)).toEqual(TOO_LARGE);
    expect(valueIn(store)).toBe("");
  });

  it("is refused alike when the log is replayed", () => {
    const log = Array.from({ length: 5 }, (_, at) => command("append", BigInt(at), "x".repeat(300_000)));
    const [once, again] = [new KvStore(), new KvStore()];

    const replies = log.map((each) => once.apply(each));

    expect(replies).toEqual([OK, OK, OK, TOO_LARGE, TOO_LARGE]);
    expect(log.map((each) => again.apply(each))).toEqual(replies);
    expect([valueIn(again) === valueIn(once), again.bytes]).toEqual([true, once.bytes]);
    expect(once.bytes).toBe(900_001);
  });
});
