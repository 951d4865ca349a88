import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { startCall } from "../support/contract-calls.js";
import { describeAllDoors } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

describeAllDoors((entrance) => {
  const { flavour } = entrance;

  describe("a server stream", () => {
    it("delivers every answer in order and then its end", async () => {
      const end = await entrance.call("serverStream", { texts: ["a"], repeat: 50 });

      expect(end.answers).toEqual(Array.from({ length: 50 }, (_, index) => ["a", index + 1]));
      expect(end.error).toBeNull();
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
    });

    it("tells headers by its metadata event and trailers by its status event", async () => {
      const end = await entrance.call("serverStream", { metadata: direct("headers") });

      expect(end.headers?.get("greeting")).toEqual(["hello"]);
      expect(end.status.code).toBe(grpc.status.OK);
      expect(end.status.metadata.get("farewell")).toEqual(["bye"]);
    });

    it("ends without an answer when there is none", async () => {
      const end = await entrance.call("serverStream", { repeat: 0 });

      expect(end.answers).toEqual([]);
      expect(end.status.code).toBe(grpc.status.OK);
    });

    it("is read at the pace of its reader", async () => {
      const { stub } = entrance.open();
      const answers: number[] = [];

      for await (const answer of stub.serverStream(flavour.ask("a", 40))) {
        answers.push(flavour.answerCount(answer));
        await new Promise(setImmediate);
      }

      expect(answers).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    });
  });

  describe("a client stream", () => {
    it("gets one answer to all its messages, in their order", async () => {
      const end = await entrance.call("clientStream", {
        texts: ["a", "b", "c"],
        metadata: direct("headers"),
      });

      expect(end.answers).toEqual([["a,b,c", 3]]);
      expect(end.headers?.get("greeting")).toEqual(["hello"]);
      expect(end.status.metadata.get("farewell")).toEqual(["bye"]);
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
    });

    it("gets its answer when it sends nothing", async () => {
      const end = await entrance.call("clientStream", { texts: [] });

      expect(end.answers).toEqual([["", 0]]);
    });

    it("sends messages written long after it began", async () => {
      const { stub } = entrance.open();
      const begun = entrance.nextRun();
      const call = startCall(flavour, stub, "clientStream", { texts: ["early"], isLeftOpen: true });
      const writable = call.raw as grpc.ClientWritableStream<object>;
      await begun;

      writable.write(flavour.ask("late", 0));
      writable.end();

      expect((await call.end).answers).toEqual([["early,late", 2]]);
    });
  });
});
