import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { vi } from "vitest";
import { installInteropServer } from "../../scripts/interop-server.mjs";
import { freePorts, ProcessFleet, type ServerProcess } from "../../scripts/servers/process-fleet.mjs";
import type { TestCertificate } from "../support/tls-certs.js";
import type { Whereabouts } from "./interop-doors.js";

const SERVERS = 2;
const START_ATTEMPTS = 3;
const START_TIMEOUT_MS = 20_000;
const LISTENS = "interop server listening";
const PORT_IS_TAKEN = "address already in use";

/** Interoperability servers of grpc-go. They listen on all interfaces: its program has no flag for that. */
export class GoServers implements Whereabouts {
  readonly #fleet: ProcessFleet;
  readonly addresses: readonly string[];
  readonly credentials: grpc.ChannelCredentials;

  private constructor(fleet: ProcessFleet, ports: readonly number[], tls: TestCertificate | null) {
    this.#fleet = fleet;
    this.addresses = ports.map((port) => `localhost:${port}`);
    this.credentials = tls === null ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(tls.ca);
  }

  /** Two servers, in plaintext without a certificate; returns when both listen. Installs the program if need be. */
  static async start(tls: TestCertificate | null): Promise<GoServers> {
    const program = await installInteropServer();
    for (let attempt = 1; ; attempt++) {
      const fleet = new ProcessFleet("holdfast-interop-");
      try {
        const ports = await freePorts(SERVERS);
        await launch(fleet, program, ports, tls);
        return new GoServers(fleet, ports, tls);
      } catch (error) {
        await fleet.stop();
        // Somebody took a port between our look and the server's start: other ports, another try.
        if (attempt === START_ATTEMPTS || !String(error).includes(PORT_IS_TAKEN)) throw error;
      }
    }
  }

  /** Kills both, by their process ids. */
  stop(): Promise<void> {
    return this.#fleet.stop();
  }
}

async function launch(
  fleet: ProcessFleet,
  program: string,
  ports: readonly number[],
  tls: TestCertificate | null,
): Promise<void> {
  const tlsFlags = tls === null ? [] : tlsFlagsIn(fleet.folder, tls);
  const servers = ports.map((port) =>
    fleet.add({
      name: `interop-${port}`,
      command: program,
      args: [`-port=${port}`, ...tlsFlags],
      cwd: fleet.folder,
      // Or it would not say that it listens.
      env: { ...process.env, GRPC_GO_LOG_SEVERITY_LEVEL: "info" },
    }),
  );
  for (const server of servers) server.start();
  await Promise.all(servers.map(listening));
}

function tlsFlagsIn(folder: string, { cert, key }: TestCertificate): string[] {
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return ["-use_tls", `-tls_cert_file=${certFile}`, `-tls_key_file=${keyFile}`];
}

async function listening(server: ServerProcess): Promise<void> {
  const hasSaidSo = (): boolean => {
    if (server.state === "exited") throw new Error(`${server.name} ended by itself:\n${server.logTail()}`);
    return server.logTail().includes(LISTENS);
  };
  await vi.waitUntil(hasSaidSo, { timeout: START_TIMEOUT_MS, interval: 10 });
}
