import * as grpc from "@grpc/grpc-js";
import { promises } from "holdfast";
import { expect, it } from "vitest";
import { ContractClient } from "../fixtures/stubs/generated/ts-proto/contract.js";
import { rejection } from "./promises-scene.js";

it.each([
  [{ foo: 1 }, /^promises: 1 problem: foo is not a known key/],
  [{ timeout: 5 }, /timeout is not a known key/],
  [{ timoutMs: 5 }, /did you mean timeoutMs\?/],
])(
  "a plain stub says of %j that nobody knows it, not that it needs our channel",
  async (options, expected) => {
    const stub = new ContractClient("127.0.0.1:1", grpc.credentials.createInsecure());

    const error = await rejection(promises(stub).unary({ text: "a", repeat: 1 }, options as object));
    stub.close();

    expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
    expect(error.details).toMatch(expected);
    expect(error.details).not.toContain("hardened stub");
  },
);
