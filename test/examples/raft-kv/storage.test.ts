import { describe, expect, it } from "vitest";
import { RaftStorage } from "../../../examples/raft-kv/raft/raft-storage.js";
import { MemoryDisk } from "../../support/memory-disk.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { entry } from "./entries.js";

/** A log of two synced records and a third, and where the third begins. */
function written(): { bytes: Uint8Array; lastStart: number } {
  const disk = new MemoryDisk();
  const storage = opened(disk);
  storage.save({ term: 1, votedFor: 2 }, []);
  storage.save({ term: 1, votedFor: 2 }, [entry(1, 1, "a"), entry(2, 1, "b")]);
  const lastStart = storage.bytes;
  storage.save({ term: 3, votedFor: null }, [entry(2, 3, "B"), entry(3, 3, "a value of some length")]);
  return { bytes: disk.read(), lastStart };
}

function opened(disk: MemoryDisk): RaftStorage {
  const storage = new RaftStorage(disk);
  storage.load();
  return storage;
}

const beforeLast = { term: 1, votedFor: 2, entries: [entry(1, 1, "a"), entry(2, 1, "b")] };

const damages: Record<string, (last: Uint8Array, from: number) => Uint8Array> = {
  "cut short": (last, from) => last.subarray(0, from),
  "garbled from there on": (last, from) => last.map((byte, at) => (at < from ? byte : byte ^ 0xa5)),
  "zeros from there on": (last, from) => last.map((byte, at) => (at < from ? byte : 0)),
  "garbled in that byte": (last, from) => last.map((byte, at) => (at === from ? byte ^ 0x01 : byte)),
};

it("gives back what was saved, each entry as last written", () => {
  const loaded = new RaftStorage(new MemoryDisk(written().bytes)).load();

  expect(loaded).toEqual({
    term: 3,
    votedFor: null,
    entries: [entry(1, 1, "a"), entry(2, 3, "B"), entry(3, 3, "a value of some length")],
    cutBytes: 0,
  });
});

it("starts empty on an empty disk", () => {
  const loaded = new RaftStorage(new MemoryDisk()).load();

  expect(loaded).toEqual({ term: 0, votedFor: null, entries: [], cutBytes: 0 });
});

describe("a crash during the last write", () => {
  for (const [damage, apply] of Object.entries(damages)) {
    it(`costs that record and nothing else, when it is ${damage}, at every byte`, () => {
      const { bytes, lastStart } = written();
      for (let from = 0; from < bytes.length - lastStart; from++) {
        const last = apply(bytes.slice(lastStart), from);
        const isHarmless = Buffer.compare(last, bytes.subarray(lastStart)) === 0;
        if (isHarmless) continue;
        const disk = new MemoryDisk(Buffer.concat([bytes.subarray(0, lastStart), last]));

        const loaded = new RaftStorage(disk).load();

        expect(loaded, `from byte ${from}`).toEqual({ ...beforeLast, cutBytes: last.length });
        expect(disk.read()).toEqual(bytes.subarray(0, lastStart));
        expect(disk.operations.at(-1)).toBe("sync");
      }
    });
  }

  it("leaves a disk that takes new records, whatever the crash kept", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new SeededRandom(seed);
      const disk = new MemoryDisk(written().bytes);
      const storage = opened(disk);
      disk.sync = () => {};
      storage.save({ term: 4, votedFor: 1 }, [entry(4, 4, "unsynced")]);
      const found = disk.crash(random);

      const again = opened(found);
      again.save({ term: 5, votedFor: 0 }, []);

      expect(new RaftStorage(found.crash(random)).load()).toMatchObject({ term: 5, cutBytes: 0 });
    }
  });
});

it("makes a whole record durable that the last process wrote and did not sync", () => {
  const disk = new MemoryDisk(written().bytes);

  new RaftStorage(disk).load();

  expect(disk.operations).toEqual(["sync"]);
});

describe("damage that no crash explains", () => {
  it("refuses to start and changes nothing, at every byte before the last record", () => {
    const { bytes, lastStart } = written();
    for (let at = 0; at < lastStart; at++) {
      const damaged = bytes.map((byte, position) => (position === at ? byte ^ 0xff : byte));
      const disk = new MemoryDisk(damaged);

      expect(() => new RaftStorage(disk).load(), `byte ${at}`).toThrow(
        /^the log is corrupt: the record at byte/,
      );
      expect(disk.operations).toEqual([]);
    }
  });

  it("says where the bad record is and where another one follows", () => {
    const { bytes, lastStart } = written();
    bytes[9] = 0xff;

    expect(() => new RaftStorage(new MemoryDisk(bytes.subarray(0, lastStart))).load()).toThrow(
      "the record at byte 0 is bad and another one follows at byte 40",
    );
  });

  it("is not a copy of a record at another place, which counts as torn", () => {
    const { bytes, lastStart } = written();
    const doubled = Buffer.concat([bytes, bytes.subarray(lastStart)]);

    expect(new RaftStorage(new MemoryDisk(doubled)).load().cutBytes).toBe(bytes.length - lastStart);
  });

  it("refuses a log with a gap", () => {
    const disk = new MemoryDisk();
    opened(disk).save({ term: 1, votedFor: null }, [entry(5, 1, "x")]);

    expect(() => new RaftStorage(disk).load()).toThrow("goes on at index 5 after index 0");
  });
});
