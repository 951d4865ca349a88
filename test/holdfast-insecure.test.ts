import { expect, it } from "vitest";
import { Holdfast } from "../src/holdfast.js";
import { turns } from "./support/event-loop.js";

// A file of its own: the warning comes once per process.
it("warns of plaintext when it is used, once however many channels have it", async () => {
  const codes: unknown[] = [];
  const onWarning = (warning: Error) => codes.push(Reflect.get(warning, "code"));
  process.on("warning", onWarning);

  await using holdfast = Holdfast.fromObject({
    channels: { a: { target: "a:1", insecure: true }, b: { target: "b:1", insecure: true } },
  });
  await turns(2);
  const whileUnused = [...codes];
  for (const name of ["a", "b"]) holdfast.channel(name);
  await turns(2);
  process.off("warning", onWarning);

  expect(whileUnused).toEqual([]);
  expect(codes).toEqual(["HOLDFAST_INSECURE"]);
});
