import { describe, expect, it } from "vitest";
import { guardedPolicy } from "../../../src/pool/pickers/guarded-picker.js";
import type { Candidate, Picker, PickerInput, PickerPolicy } from "../../../src/pool/pickers/picker.js";
import { random } from "../../../src/pool/pickers/random.js";
import { ringHash } from "../../../src/pool/pickers/ring-hash.js";
import { ringHashOptionsSchema } from "../../../src/pool/pickers/ring-hash-options.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import {
  ANY,
  allBut,
  CALL,
  FakeCandidate,
  fakeCandidates,
  NOBODY,
  pickCall,
  pickerInput,
} from "./fake-candidate.js";
import { describePicker } from "./picker-contract.js";

/** As a user without types may write it. */
type Careless = (input: PickerInput<Candidate>) => unknown;

/** A policy whose pickers are what `create` answers, and what was said of them. */
function scene(create: Careless, connects: PickerPolicy["connects"] = "all") {
  const said: string[] = [];
  const policy = guardedPolicy({ name: "its own", connects, create } as PickerPolicy, "mine", (text) =>
    said.push(text),
  );
  return { said, policy };
}

/** A policy whose pick is this. */
function picking(
  pick: (...args: Parameters<Picker["pick"]>) => unknown,
  connects?: PickerPolicy["connects"],
) {
  return scene(() => ({ pick }), connects);
}

function picks(picker: Picker<FakeCandidate>, count: number, filter = ANY) {
  return Array.from({ length: count }, () => picker.pick(filter, CALL));
}

const said = (what: string) => `load-balancing policy mine: ${what}; round_robin chooses in its place`;

describePicker(
  "one of the user's, guarded",
  guardedPolicy(random, "random", () => {}),
);
describePicker(
  "one of the user's that always throws",
  scene(() => ({
    pick: () => {
      throw new Error("broken");
    },
  })).policy,
);

describe("a guarded policy", () => {
  it("leaves a picker that does well alone", () => {
    const set = fakeCandidates(5);
    const messages: string[] = [];
    const guarded = guardedPolicy(random, "random", (text) => messages.push(text));

    const picked = picks(guarded.create(pickerInput(set)), 200);

    expect(new Set(picked)).toEqual(new Set(set));
    expect(messages).toEqual([]);
    expect(guarded).toMatchObject({ name: "random", connects: "all" });
  });

  it.each<[string, Careless]>([
    [
      "its create() threw: no luck",
      () => {
        throw new Error("no luck");
      },
    ],
    ["its create() answered no object with a method pick()", () => null],
    ["its create() answered no object with a method pick()", () => ({ choose: () => null })],
    ["its create() answered no object with a method pick()", async () => Promise.reject(new Error("async"))],
    [
      "its pick() threw: boom",
      () => ({
        pick: () => {
          throw new Error("boom");
        },
      }),
    ],
    ["its pick() answered what is none of its candidates", () => ({ pick: () => undefined })],
    ["its pick() answered what is none of its candidates", () => ({ pick: () => "10.0.0.0:1" })],
    [
      "its pick() answered what is none of its candidates",
      () => ({ pick: () => new FakeCandidate("10.0.0.0:1") }),
    ],
    [
      "its pick() answered what is none of its candidates",
      () => ({ pick: async () => Promise.reject(new Error("async")) }),
    ],
    ["its pick() answered null, which is for a filter that accepts none", () => ({ pick: () => null })],
  ])("has round robin choose where %s, and says so once", async (what, create) => {
    const set = fakeCandidates(3);
    const { policy, said: heard } = scene(create);

    const picker = policy.create(pickerInput(set));

    for (let round = 0; round < 4; round++) expect(new Set(picks(picker, 3))).toEqual(new Set(set));
    expect(picks(policy.create(pickerInput(set, { previous: picker })), 3)).not.toContain(null);
    await settle();
    expect(heard).toEqual([said(what)]);
  });

  it("has round robin choose where the answer is a candidate that may not be used", () => {
    const set = fakeCandidates(3) as [FakeCandidate, FakeCandidate, FakeCandidate];
    const { policy, said: heard } = picking(() => set[0]);
    const picker = policy.create(pickerInput(set));

    expect(picks(picker, 2)).toEqual([set[0], set[0]]);
    expect(heard).toEqual([]);
    expect(new Set(picks(picker, 6, allBut(set[0])))).toEqual(new Set([set[1], set[2]]));
    expect(picker.pick(NOBODY, CALL)).toBeNull();
    expect(heard).toEqual([said("its pick() answered a candidate that the filter does not accept")]);
  });

  it("goes on with the picker's own choices after a mistake, and tells of each kind once", () => {
    const set = fakeCandidates(4);
    let call = 0;
    const { policy, said: heard } = picking((filter) => {
      call++;
      if (call % 3 === 0) throw new Error(`number ${call}`);
      if (call % 3 === 1) return {} as Candidate;
      return filter.accepts(set[2]!) ? set[2] : null;
    });
    const picker = policy.create(pickerInput(set));

    const picked = picks(picker, 30);

    expect(picked.filter((_, index) => index % 3 === 1)).toEqual(Array(10).fill(set[2]));
    expect(picked).not.toContain(null);
    expect(heard).toEqual([
      said("its pick() answered what is none of its candidates"),
      said("its pick() threw: number 3"),
    ]);
  });

  it("takes null for an answer where the picker asked, and nobody was accepted", () => {
    const set = fakeCandidates(3);
    const { policy, said: heard } = picking((filter) => set.find((one) => filter.accepts(one)) ?? null);
    const picker = policy.create(pickerInput(set));

    expect(picker.pick(NOBODY, CALL)).toBeNull();
    expect(picker.pick(ANY, CALL)).toBe(set[0]);
    expect(heard).toEqual([]);
  });

  it("does not ask again about the endpoint that the picker was told it may use", () => {
    const set = fakeCandidates(3);
    const { policy, said: heard } = picking((filter) => set.find((one) => filter.accepts(one)) ?? null);
    // As slow start has it: chance decides each time.
    let asked = 0;
    const moody = { accepts: () => ++asked % 2 === 1 };

    const picked = picks(policy.create(pickerInput(set)), 4, moody);

    expect(picked).toEqual([set[0], set[1], set[1], set[1]]);
    expect(heard).toEqual([]);
  });

  it("hands a picker its own predecessor, and a list of its own", () => {
    const set = fakeCandidates(3);
    const seen: unknown[] = [];
    const made: Picker[] = [];
    const { policy } = scene(({ candidates, previous }) => {
      seen.push(previous);
      (candidates as Candidate[]).length = 0;
      made.push({ pick: () => null });
      return made.at(-1);
    });

    const first = policy.create(pickerInput(set));
    policy.create(pickerInput(set, { previous: first }));
    policy.create(pickerInput(set, { previous: { pick: () => null } }));

    expect(seen).toEqual([null, made[0], null]);
    expect(set).toHaveLength(3);
  });

  it.each<[unknown, string]>([
    [null, "has no name"],
    [() => ({}), "has no name"],
    [{ name: "its own", connects: "all" }, "has no method create()"],
    [{ name: "", connects: "all", create: () => null }, "has no name"],
    [{ name: "m", create: () => null }, 'has connects undefined; allowed: "all", "first", "picked"'],
    [{ name: "m", connects: "alll", create: () => null }, 'has connects "alll"; allowed: "all", '],
  ])("refuses %j, which is no policy, by the name that it is registered as", (policy, says) => {
    expect(() => guardedPolicy(policy as PickerPolicy, "mine", () => {})).toThrow(
      `the policy that the function of registerPicker("mine") answered ${says}`,
    );
  });

  it("keeps what a policy says of load reports and order, and may be an object of a class", () => {
    class Mine {
      name = "mine";
      connects = "all" as const;
      loadReports = { isOutOfBand: false };
      isShuffled = true;
      private readonly at = 1;
      create({ candidates }: PickerInput<FakeCandidate>): unknown {
        return { pick: () => candidates[this.at] };
      }
    }
    const set = fakeCandidates(3);

    const policy = guardedPolicy(new Mine() as unknown as PickerPolicy, "mine", () => {});

    expect(policy).toMatchObject({ isShuffled: true, loadReports: { isOutOfBand: false } });
    expect(policy.create(pickerInput(set)).pick(ANY, CALL)).toBe(set[1]);
  });
});

describe("a guarded policy that connects what it picks", () => {
  it("may answer an endpoint that is IDLE or CONNECTING", () => {
    const set = fakeCandidates(3);
    for (const one of set) one.state = "IDLE";
    const messages: string[] = [];
    const policy = guardedPolicy(ringHash(ringHashOptionsSchema.parse({})), "mine", (text) =>
      messages.push(text),
    );
    const picker = policy.create({ ...pickerInput(set), clock: new ManualClock() });

    const home = picker.pick(NOBODY, pickCall("key"));
    home!.state = "CONNECTING";

    expect(set).toContain(home);
    expect(picker.pick(NOBODY, pickCall("key"))).toBe(home);
    expect(messages).toEqual([]);
  });

  it.each([
    ["throws", () => JSON.parse("{")],
    ["answers null", () => null],
    ["answers a stranger", () => 1],
  ])("has an endpoint connected where its picker %s and none is READY", (_, pick) => {
    const [failed, barred, idle] = fakeCandidates(3) as [FakeCandidate, FakeCandidate, FakeCandidate];
    failed.state = "TRANSIENT_FAILURE";
    Object.assign(barred, { state: "IDLE", barred: true });
    idle.state = "IDLE";
    const picker = picking(pick, "picked").policy.create(pickerInput([failed, barred, idle]));

    expect(picker.pick(NOBODY, CALL)).toBe(idle);
    idle.state = "CONNECTING";
    expect(picker.pick(NOBODY, CALL)).toBe(idle);
    idle.state = "READY";
    expect(picker.pick(ANY, CALL)).not.toBeNull();
  });

  it("does not have an endpoint connected that breaker or ejection keep out of use", () => {
    const set = fakeCandidates(2) as [FakeCandidate, FakeCandidate];
    for (const one of set) one.state = "IDLE";
    set[0].barred = true;
    const { policy, said: heard } = picking(() => set[0], "picked");

    expect(policy.create(pickerInput(set)).pick(NOBODY, CALL)).toBe(set[1]);
    expect(heard).toEqual([said("its pick() answered a candidate that the filter does not accept")]);
  });
});
