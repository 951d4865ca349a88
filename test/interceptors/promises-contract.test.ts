import * as grpc from "@grpc/grpc-js";
import { type CallStatus, promises, ResilienceError } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { KINDS, type Kind } from "../support/contract-calls.js";
import { type Door, describeDoors, doors, type Entrance } from "../support/contract-doors.js";
import { direct, REFUSAL } from "../support/directed-server.js";
import { passThrough, readToEnd } from "./promises-scene.js";

const INTERCEPTED = { client: { interceptors: [passThrough] } };

interface PromisedEnd {
  readonly answers: readonly string[];
  readonly error: (grpc.ServiceError & Record<string, unknown>) | null;
  readonly headers: grpc.Metadata | null;
  readonly statuses: readonly CallStatus[];
}

const [overPool, ...otherDoors] = doors;
describeDoors(suite, [overPool as Door]);
describeDoors(
  suite,
  otherDoors,
  flavours.filter(({ name }) => name === "ts-proto"),
);

function suite(entrance: Entrance): void {
  describe.each([
    ["straight to the channel", {}],
    ["through an interceptor", INTERCEPTED],
  ])("%s", (_way, options) => {
    const end = (kind: Kind, metadata?: grpc.Metadata): Promise<PromisedEnd> =>
      callToEnd(entrance, kind, options, metadata);

    it("gives every answer, headers and trailers of every kind", async () => {
      const ends = await Promise.all(KINDS.map((kind) => end(kind, direct("headers"))));

      expect(ends.map(({ answers }) => answers)).toEqual([["a"], ["a", "a", "a"], ["a,b"], ["a", "b"]]);
      for (const { error, headers, statuses } of ends) {
        expect(error).toBeNull();
        expect(headers?.get("greeting")).toEqual(["hello"]);
        expect(statuses.map(({ code, attempts }) => [code, attempts])).toEqual([[grpc.status.OK, []]]);
        expect(statuses[0]?.metadata.get("farewell")).toEqual(["bye"]);
      }
    });

    it.each(KINDS)("rejects a %s call with what the server said, unchanged", async (kind) => {
      const { error, statuses } = await end(kind, direct("fail"));

      expect(error).toBeInstanceOf(ResilienceError);
      expect(error).toMatchObject({ code: REFUSAL.code, details: REFUSAL.details, reason: "REMOTE" });
      expect(error).toMatchObject({ origin: "remote", processed: "maybe", name: "ResilienceError" });
      expect(error?.metadata.get("why-bin")).toEqual([REFUSAL.binaryTrailer]);
      expect(error?.["attempts"]).toHaveLength(1);
      expect(statuses).toHaveLength(1);
      expect(statuses[0]).toMatchObject({ code: REFUSAL.code, details: REFUSAL.details });
      expect(statuses[0]?.attempts).toHaveLength(1);
    });

    it("tells of the attempts of a call that a retry saved", async () => {
      const { answers, statuses } = await end("unary", direct("fail-first", { idempotentRequest: true }));

      expect(answers).toEqual(["a"]);
      expect(statuses[0]?.code).toBe(grpc.status.OK);
      expect(statuses[0]?.attempts.map(({ code }) => code)).toEqual([grpc.status.UNAVAILABLE]);
    });
  });
}

async function callToEnd(
  entrance: Entrance,
  kind: Kind,
  options: typeof INTERCEPTED | object,
  metadata = new grpc.Metadata(),
): Promise<PromisedEnd> {
  const { flavour } = entrance;
  const client = promises(entrance.open(options).stub);
  const asks = ["a", "b"].map((text) => flavour.ask(text, 3));
  const ask = asks[0] as object;
  const statuses: CallStatus[] = [];
  let headers: grpc.Metadata | null = null;
  const call = {
    metadata,
    onHeaders: (received: grpc.Metadata) => {
      headers = received;
    },
    onStatus: (status: CallStatus) => void statuses.push(status),
  };
  async function* single(reply: Promise<object>): AsyncGenerator<object> {
    yield await reply;
  }
  const stream = {
    unary: () => single(client.unary(ask, call)),
    serverStream: () => client.serverStream(ask, call),
    clientStream: () => single(client.clientStream(asks, call)),
    bidi: () => client.bidi(asks, call),
  }[kind]();
  const { items, error } = await readToEnd<object>(stream);
  return { answers: items.map((item) => flavour.answerText(item)), error, headers, statuses };
}
