/** One server of a cluster, whatever it serves: its life and death, and asking it over HTTP. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export const READY_TIMEOUT_MS = 30_000;
const ASK_TIMEOUT_MS = 1_000;
const POLL_MS = 50;

/** A kind of server adds `isReady()` and `isLeader()`. */
export class ServerNode {
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

  logTail() {
    return this.#server.logTail();
  }

  /** Waits until it serves. */
  async waitReady(timeoutMs = READY_TIMEOUT_MS) {
    await until(timeoutMs, `${this.name} (${this.address}) is not ready`, () => {
      if (this.state === "exited") throw new NodeEnded(this.#server);
      if (this.state === "dead") throw new Hopeless(`${this.name} has been killed`);
      return this.isReady();
    });
  }
}

/** An error that no more waiting can mend. */
export class Hopeless extends Error {}

/** A server that ended without being killed, with the end of its log. */
class NodeEnded extends Hopeless {
  constructor(server) {
    super(`${server.name} ended by itself${server.spawnError ? `: ${server.spawnError.message}` : ""}`);
    this.log = server.logTail();
    this.isPortTaken = this.log.includes("address already in use");
  }
}

/** The JSON of an answer; other statuses than 200 are errors. No connection stays open to a node about to be killed. */
export function ask(address, path, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const options = { method, headers, agent: false, signal };
    const asked = request(`http://${address}${path}`, options, (response) => {
      let said = "";
      response.setEncoding("utf8").on("data", (part) => {
        said += part;
      });
      response.on("error", reject).on("end", () => {
        if (response.statusCode === 200) resolve(said);
        else reject(new Error(`${address}${path} answered ${response.statusCode}: ${said.trimEnd()}`));
      });
    });
    asked.on("error", reject).end(body);
  }).then(JSON.parse);
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
