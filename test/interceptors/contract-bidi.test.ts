import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { callToEnd, startCall } from "../support/contract-calls.js";
import { describeAllDoors } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

describeAllDoors((entrance) => {
  const { flavour } = entrance;

  describe("a bidirectional stream", () => {
    it("answers each message in order", async () => {
      const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);

      const end = await entrance.call("bidi", { texts });

      expect(end.answers).toEqual(texts.map((text, index) => [text, index + 1]));
      expect(end.told).toEqual({ ends: 1, statuses: 1 });
    });

    it("answers one message before the next is sent", async () => {
      const { stub } = entrance.open();
      const call = stub.bidi();
      const heard: string[] = [];

      for (const text of ["first", "second"]) {
        call.write(flavour.ask(text, 0));
        const [answer] = (await once(call, "data")) as [object];
        heard.push(flavour.answerText(answer));
      }
      call.end();
      await once(call, "end");

      expect(heard).toEqual(["first", "second"]);
    });

    it("delivers the answers that come after it has half-closed", async () => {
      const { stub } = entrance.open();
      const texts = ["a", "b", "c"];
      const begun = entrance.nextRun();

      const call = startCall(flavour, stub, "bidi", { texts, metadata: direct("pause") });
      await begun;
      for (const server of entrance.servers) server.unpause();

      expect((await call.end).answers).toEqual(texts.map((text, index) => [text, index + 1]));
    });

    it("tells headers by its metadata event and trailers by its status event", async () => {
      const end = await entrance.call("bidi", { metadata: direct("headers") });

      expect(end.headers?.get("greeting")).toEqual(["hello"]);
      expect(end.status.metadata.get("farewell")).toEqual(["bye"]);
    });
  });

  it("keeps streams that run at the same time apart", async () => {
    const { stub } = entrance.open();
    const own = Array.from({ length: 10 }, (_, index) => [`${index}a`, `${index}b`]);

    const ends = await Promise.all(own.map((texts) => callToEnd(flavour, stub, "bidi", { texts })));

    expect(ends.map((end) => end.answers.map(([text]) => text))).toEqual(own);
  });
});
