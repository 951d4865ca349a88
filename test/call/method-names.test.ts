import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createChannel } from "holdfast";
import { expect, it } from "vitest";
import { KnownMethods, methodNames, unknownMethods } from "../../src/call/index.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const unary = { requestStream: false, responseStream: false };
const known = KnownMethods.of({
  get: { path: "/users.Users/GetUser", ...unary },
  list: { path: "/users.Users/ListUsers", ...unary },
});

it.each<[string, string[]]>([
  ["users.Users/GetUser", []],
  ["users.Users", []],
  ["users.Groups/GetUsr", []],
  ["users.User/GetUsr", []],
  ["GetUser", []],
  ["users.Users.GetUser", ["methods.users.Users.GetUser names a method; write users.Users/GetUser"]],
  [
    "users.Users/GetUsr",
    ["methods.users.Users/GetUsr: users.Users has no such method (did you mean GetUser?)"],
  ],
  [
    "users.Users/getuser",
    ["methods.users.Users/getuser: users.Users has no such method (did you mean GetUser?)"],
  ],
  [
    "users.Users/Drop",
    ["methods.users.Users/Drop: users.Users has no such method (known: GetUser, ListUsers)"],
  ],
])("tells a user which method of a known service does not exist (B30): %s", (name, problems) => {
  expect(unknownMethods([name], known)).toEqual(problems);
});

it.each<[string, string[]]>([
  ["users.Users", []],
  ["users.Users/GetUser", []],
  ["GetUser", ["methods.GetUser names a method; write users.Users/GetUser"]],
  [
    "users.User/GetUser",
    ["methods.users.User/GetUser: the stub has no service users.User (did you mean users.Users?)"],
  ],
  ["Users/GetUser", ["methods.Users/GetUser: the stub has no service Users (did you mean users.Users?)"]],
  ["billing.Invoices/Get", []],
  ["users.Users2/GetUser", []],
])("tells whose calls go to one service alone that a key can match none of them: %s", (name, problems) => {
  expect(unknownMethods([name], known, true)).toEqual(problems);
});

it("says nothing of the services of a stub whose class does not tell them", () => {
  expect(unknownMethods(["users.Users/GetUser", "GetUser"], new KnownMethods(), true)).toEqual([]);
});

it.each([undefined, null, 5, {}, { methods: null }, { methods: "x" }])("finds no names in %j", (options) => {
  expect(methodNames(options)).toEqual([]);
});

const descriptors = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      { package: "users", service: [{ name: "Users", method: [{ name: "GetUser" }] }] },
      { package: "etcdserverpb", service: [{ name: "KV", method: [{ name: "Put" }] }] },
    ],
  }),
);

it("refuses a method that the channel's own descriptors do not have, beside every other problem (B30)", () => {
  const methods = { "users.Users/GetUsr": { timeoutMs: 5 } };

  const error = configErrorOf(() =>
    createChannel("static:///a:1", { insecure: true, descriptors, methods, drainMs: -1 }),
  );

  expect(problemCount(error)).toBe(2);
  expect(error.details).toContain(
    "methods.users.Users/GetUsr: users.Users has no such method (did you mean GetUser?)",
  );
});

it("does not hold the methods of a preset against anybody's descriptors", async () => {
  const methods = { "users.Users/GetUser": { timeoutMs: 5 } };

  const channel = createChannel("static:///a:1", { insecure: true, preset: "etcd", descriptors, methods });

  expect(channel.known.configured).toEqual(["users.Users/GetUser"]);
  await channel.close();
});
