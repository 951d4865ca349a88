import type { ServiceError } from "@grpc/grpc-js";
import { ResilienceError } from "holdfast";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findGo, findInteropServer } from "../../scripts/interop-server.mjs";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";
import { testAuthority } from "../support/tls-certs.js";
import { GoServers } from "./go-servers.js";
import { type InteropCase, interopCases } from "./interop-cases.js";
import { bareDoor, hardenedDoors, type InteropDoor } from "./interop-doors.js";

/** Go has to fetch and compile the server where the cache lacks it. */
const INSTALL_TIMEOUT_MS = 660_000;

const REMOTE = { reason: "REMOTE", origin: "remote", processed: "maybe", attempts: 1 };
const DEADLINE = {
  reason: "DEADLINE_EXCEEDED",
  origin: "local",
  // The millisecond may be over before the stream is opened.
  processed: expect.stringMatching(/^(no|maybe)$/),
  attempts: expect.any(Number),
};

/** What Holdfast says of the errors of a case; the other cases have none. */
const REPORTS: Readonly<Record<string, readonly object[]>> = {
  cancel_after_begin: [{ reason: "CANCELLED", origin: "local", processed: "no", attempts: 0 }],
  cancel_after_first_response: [{ reason: "CANCELLED", origin: "local", processed: "yes", attempts: 1 }],
  timeout_on_sleeping_server: [DEADLINE],
  // No message came with the error, and that alone would prove that the handler has run.
  status_code_and_message: [REMOTE, REMOTE],
  special_status_message: [REMOTE],
  unimplemented_method: [REMOTE],
  unimplemented_service: [REMOTE],
};

/** The cases in which the server itself ends calls with an error. */
const refusals = interopCases.filter(({ name }) => REPORTS[name]?.includes(REMOTE));

const transports = [
  { name: "in plaintext", hasTls: false, missing: missingGo() },
  { name: "over TLS", hasTls: true, missing: missingGo() },
];

for (const { name, hasTls, missing } of transports) {
  const whySkipped = missing === null ? "" : ` (SKIPPED: ${missing})`;
  // The usual reporter only counts what is skipped.
  if (missing !== null) console.warn(`grpc's interoperability cases ${name}${whySkipped}`);
  describe.skipIf(missing !== null)(`servers of grpc-go ${name}${whySkipped}`, () => {
    let servers: GoServers;
    beforeAll(async () => {
      servers = await GoServers.start(hasTls ? await (await testAuthority()).server() : null);
    }, INSTALL_TIMEOUT_MS);
    afterAll(() => servers?.stop());

    let baseline: LeakBaseline;
    beforeEach(async () => {
      baseline = await leakBaseline();
    });
    afterEach(() => baseline.expectClean());

    for (const door of hardenedDoors) {
      describe(`called through ${door.name}`, () => {
        for (const each of interopCases) {
          it(`${each.name}: ${each.gain}`, async () => {
            const errors = await run(each, door, servers);

            expect(errors.map(reportOf)).toEqual(REPORTS[each.name] ?? []);
          });
        }

        for (const each of refusals) {
          it(`${each.name}: leaves the server's error as bare grpc-js tells it`, async () => {
            const bare = await run(each, bareDoor, servers);
            const hardened = await run(each, door, servers);

            expect(hardened.map(plainPartOf)).toEqual(bare.map(plainPartOf));
          });
        }
      });
    }
  });
}

/** Why there can be no server; null where there can be one, or where it must be. */
function missingGo(): string | null {
  const isHere = process.env["CI"] || findInteropServer() !== undefined || findGo() !== undefined;
  return isHere ? null : "Go is not on PATH; apt-get install golang-go";
}

async function run(
  interopCase: InteropCase,
  door: InteropDoor,
  servers: GoServers,
): Promise<readonly ServiceError[]> {
  const opened = door.open(servers);
  try {
    return await interopCase.run(opened.stubs);
  } finally {
    await opened.close();
  }
}

function reportOf(error: ServiceError): object | null {
  if (!(error instanceof ResilienceError)) return null;
  const { reason, origin, processed, attempts } = error;
  return { reason, origin, processed, attempts: attempts.length };
}

function plainPartOf({ name, code, details, message, metadata }: ServiceError): object {
  return { name, code, details, message, metadata: metadata.getMap() };
}
