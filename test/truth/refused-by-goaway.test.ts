import { expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { goaway, respondOk } from "../support/raw-http2-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const REFUSED_STREAM = 7;

/** Node gives every stream the code of the GOAWAY that ended its session: REFUSED_STREAM reads as a refusal then. */
it("does not repeat a call that a GOAWAY with the code REFUSED_STREAM broke off", async () => {
  const raw = await stage.raw(({ session, stream, index }) =>
    index === 1 ? goaway(session, REFUSED_STREAM, stream.id) : respondOk(stream),
  );
  const { client } = stage.harden([raw]);

  const error = failureOf(await unary(client, "x"));

  expect(error).toMatchObject({ reason: "CONNECTION_LOST", processed: "maybe" });
  expect(error.attempts.map(({ details }) => details)).toEqual(["Stream refused by server"]);
  expect(raw.streamsStarted).toBe(1);
});
