import { describe, expect, it } from "vitest";
import { breakerOptionsSchema } from "../../src/breaker/index.js";
import { Standings } from "../../src/call/standings.js";
import { type ChannelEvent, EventHub } from "../../src/core/index.js";
import { type EndpointGate, openGate } from "../../src/pool/index.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

interface Member {
  readonly address: string;
  isReady: boolean;
  readonly gate: EndpointGate;
}

/** Breakers of so many endpoints, all READY, under one panic floor. */
function breakersOf(count: number, maxEjectionPercent = 50, options: object | false = {}) {
  const clock = new ManualClock();
  const events = new EventHub();
  const heard: ChannelEvent[] = [];
  events.subscribe((event) => void heard.push(event));
  const members: Member[] = [];
  const resolved = options === false ? false : breakerOptionsSchema.parse(options);
  const standings = new Standings(
    { breaker: resolved, maxEjectionPercent, outlierEjection: undefined },
    {
      watches: null,
      clock,
      random: fixedRandom(0.5),
      events,
      onChange: () => {},
      total: () => members.length,
      isReady: (address) => members.some((member) => member.address === address && member.isReady),
      countOut: (except) =>
        members.filter(
          ({ address, isReady, gate }) => address !== except && isReady && gate.state !== "closed",
        ).length,
    },
  );
  for (let index = 0; index < count; index++) {
    const address = `10.0.0.${index}:1`;
    members.push({ address, isReady: true, gate: standings.of(address).gate });
  }
  return { clock, heard, members };
}

function breakDown({ gate }: Member): void {
  for (let failure = 0; failure < 5; failure++) gate.fail(gate.acquire());
}

describe("the breakers of a target", () => {
  it("take out no more than the panic floor allows, however many endpoints fail", () => {
    const { members } = breakersOf(4);

    for (const member of members) breakDown(member);

    expect(members.filter(({ gate }) => gate.state === "open")).toHaveLength(2);
  });

  it("may take out the only endpoint of a target", () => {
    const { members } = breakersOf(1);

    for (const member of members) breakDown(member);

    expect(members[0]?.gate.state).toBe("open");
  });

  it("do not count endpoints that are simply not ready", () => {
    const { members } = breakersOf(4);
    const [first, second, third] = members as [Member, Member, Member];
    breakDown(first);
    breakDown(second);
    first.isReady = false;

    breakDown(third);

    expect(third.gate.state).toBe("open");
  });

  it("each have a memory of their own", () => {
    const { members } = breakersOf(2);
    const [first, second] = members as [Member, Member];

    breakDown(first);

    expect([first.gate.state, second.gate.state]).toEqual(["open", "closed"]);
  });

  it("tell every change with the endpoint and the time until a probe", () => {
    const { heard, members } = breakersOf(1);
    const [member] = members as [Member];
    breakDown(member);

    member.gate.reconnected();

    expect(heard).toEqual([
      { type: "breaker.state", endpoint: "10.0.0.0:1", from: "closed", to: "open", retryInMs: 5_000 },
      { type: "breaker.state", endpoint: "10.0.0.0:1", from: "open", to: "half-open" },
    ]);
  });

  it("never close a gate when they are switched off", () => {
    const { members } = breakersOf(1, 50, false);

    expect(members[0]?.gate).toBe(openGate);
  });
});
