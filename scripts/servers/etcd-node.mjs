/** One node of the cluster in `../etcd-cluster.mjs`, and the questions one asks it. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export const READY_TIMEOUT_MS = 30_000;
const ASK_TIMEOUT_MS = 1_000;
const POLL_MS = 50;

/** One etcd server. All questions go through etcd's own JSON gateway on the client port, so no stub is needed. */
export class EtcdNode {
  #server;

  constructor(server, address) {
    this.#server = server;
    this.address = address;
  }

  get name() {
    return this.#server.name;
  }

  get pid() {
    return this.#server.pid;
  }

  get state() {
    return this.#server.state;
  }

  kill() {
    return this.#server.kill();
  }

  restart() {
    this.#server.start();
  }

  freeze() {
    this.#server.freeze();
  }

  thaw() {
    this.#server.thaw();
  }

  /** Maintenance.Status. The gateway writes 64-bit numbers as text: member ids pass 2^53 and must stay exact. */
  async status() {
    return JSON.parse(await ask(this.address, "POST", "/v3/maintenance/status"));
  }

  async isLeader() {
    const { leader, header } = await this.status();
    return leader !== undefined && leader !== "0" && leader === header.member_id;
  }

  /** Waits until it answers a linearizable read, which it can only with a leader. */
  async waitReady(timeoutMs = READY_TIMEOUT_MS) {
    await until(timeoutMs, `${this.name} (${this.address}) is not ready`, async () => {
      if (this.state === "exited") throw new NodeEnded(this.#server);
      if (this.state === "dead") throw new Hopeless(`${this.name} has been killed`);
      return JSON.parse(await ask(this.address, "GET", "/health")).health === "true";
    });
  }
}

/** An error that no more waiting can mend. */
export class Hopeless extends Error {}

/** An etcd that ended without being killed, with the end of its log. */
class NodeEnded extends Hopeless {
  constructor(server) {
    super(`${server.name} ended by itself${server.spawnError ? `: ${server.spawnError.message}` : ""}`);
    this.log = server.logTail();
    this.isPortTaken = this.log.includes("address already in use");
  }
}

/** One request on a connection of its own, so that none stays open to a node about to be killed. */
function ask(address, method, path) {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const asked = request(`http://${address}${path}`, { method, agent: false, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part) => (body += part));
      response.on("error", reject).on("end", () => resolve(body));
    });
    asked.on("error", reject).end(method === "POST" ? "{}" : undefined);
  });
}

/** Polls until the answer is truthy; an error counts as "not yet" unless it is hopeless. */
export async function until(timeoutMs, complaint, answer) {
  const giveUpAt = performance.now() + timeoutMs;
  for (let last = ""; ; await sleep(POLL_MS)) {
    try {
      const value = await answer();
      if (value) return value;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = `: ${error.message}`;
    }
    if (performance.now() >= giveUpAt) throw new Error(`${complaint} after ${timeoutMs} ms${last}`);
  }
}
