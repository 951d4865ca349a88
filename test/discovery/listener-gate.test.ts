import { describe, expect, it } from "vitest";
import { ListenerGate } from "../../src/discovery/listener-gate.js";
import { RecordingListener } from "./recording-listener.js";

const A = { address: "a:1" };
const B = { address: "b:2" };

function openGate() {
  const gate = new ListenerGate("static:///a:1");
  const listener = new RecordingListener();
  gate.open(listener);
  return { gate, listener };
}

describe("ListenerGate", () => {
  it("drops what is reported before the start", () => {
    const gate = new ListenerGate("static:///a:1");
    const listener = new RecordingListener();

    gate.endpoints([A]);
    gate.error(new Error("early"));
    gate.open(listener);

    expect(listener.events).toBe(0);
  });

  it("drops endpoints and errors after close", () => {
    const { gate, listener } = openGate();

    gate.close();
    gate.endpoints([A]);
    gate.error(new Error("late"));

    expect(listener.events).toBe(0);
  });

  it("passes a set on once while its members stay the same, in whatever order", () => {
    const { gate, listener } = openGate();

    gate.endpoints([A, B]);
    gate.endpoints([B, A]);

    expect(listener.sets).toEqual([[A, B]]);
  });

  it("counts a default that is spelled out as the same", () => {
    const { gate, listener } = openGate();

    gate.endpoints([A]);
    gate.endpoints([{ ...A, isProxied: false, priority: 0, weight: 1 }]);

    expect(listener.sets).toHaveLength(1);
  });

  it.each([
    ["a new weight", { ...A, weight: 2 }],
    ["a new priority", { ...A, priority: 1 }],
    ["a new server name", { ...A, serverName: "other" }],
    ["a proxy that now applies", { ...A, isProxied: true }],
    ["another address", B],
  ])("passes on %s", (_, changed) => {
    const { gate, listener } = openGate();

    gate.endpoints([A]);
    gate.endpoints([changed]);

    expect(listener.sets).toEqual([[A], [changed]]);
  });

  it("passes on a set that comes back after another one", () => {
    const { gate, listener } = openGate();

    gate.endpoints([A]);
    gate.endpoints([B]);
    gate.endpoints([A]);

    expect(listener.sets).toEqual([[A], [B], [A]]);
  });

  it("keeps quiet when the listener closes it from inside an event", () => {
    const gate = new ListenerGate("static:///a:1");
    const listener = new RecordingListener();
    gate.open({
      onEndpoints: (endpoints) => {
        listener.onEndpoints(endpoints);
        gate.close();
      },
      onError: (error) => listener.onError(error),
    });

    gate.endpoints([A]);
    gate.endpoints([B]);

    expect(listener.sets).toEqual([[A]]);
  });
});
