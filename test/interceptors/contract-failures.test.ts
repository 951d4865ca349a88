import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { KINDS } from "../support/contract-calls.js";
import { describeAllDoors } from "../support/contract-doors.js";
import { direct, REFUSAL } from "../support/directed-server.js";
import { turns } from "../support/event-loop.js";

const { FAILED_PRECONDITION } = grpc.status;

describeAllDoors((entrance) => {
  describe.each(KINDS)("a %s call", (kind) => {
    it("keeps code, details and metadata of the server's failure, told once", async () => {
      const end = await entrance.call(kind, { metadata: direct("fail") });
      await turns(3);

      expect(end.error).toMatchObject({ code: FAILED_PRECONDITION, details: REFUSAL.details });
      expect(end.error?.metadata.get("why")).toEqual([REFUSAL.trailer]);
      expect(end.error?.metadata.get("why-bin")).toEqual([REFUSAL.binaryTrailer]);
      expect(end.status).toMatchObject({ code: FAILED_PRECONDITION, details: REFUSAL.details });
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
      expect(entrance.runs).toHaveLength(1);
    });

    it("keeps what came before a failure that follows headers", async () => {
      const end = await entrance.call(kind, { metadata: direct("fail-late") });

      expect(end.headers?.get("greeting")).toEqual(["hello"]);
      expect(end.error).toMatchObject({ code: FAILED_PRECONDITION, details: REFUSAL.details });
      expect(end.answers).toEqual(["serverStream", "bidi"].includes(kind) ? [["the last", 1]] : []);
    });
  });
});
