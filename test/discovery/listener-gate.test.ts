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

  it("passes on every answer, since an equal one says that the set still holds", () => {
    const { gate, listener } = openGate();

    gate.endpoints([A]);
    gate.endpoints([A]);
    gate.endpoints([]);

    expect(listener.sets).toEqual([[A], [A], []]);
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
