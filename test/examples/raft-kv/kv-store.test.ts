import type { KvCommand } from "holdfast";
import { expect, it } from "vitest";
import { KvStore } from "../../../examples/raft-kv/kv/kv-store.js";

const OK = { err: "OK", value: "" };

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
