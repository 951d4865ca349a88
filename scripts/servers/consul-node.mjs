/** One Consul server of those in `../consul-cluster.mjs`, and the questions one asks it. */
import { ask, ServerNode } from "./server-node.mjs";

export class ConsulNode extends ServerNode {
  #serverAddress;

  constructor(server, { ports, token, tls }) {
    super(server, `127.0.0.1:${ports.http}`);
    this.#serverAddress = `127.0.0.1:${ports.server}`;
    this.httpsAddress = tls === undefined ? undefined : `127.0.0.1:${ports.https}`;
    this.dnsAddress = `127.0.0.1:${ports.dns}`;
    this.wanAddress = `127.0.0.1:${ports.serf_wan}`;
    this.token = token;
  }

  get httpAddress() {
    return this.address;
  }

  /** Asked for a consistent read first, a leader that has been frozen learns of its successor. */
  async isLeader() {
    return (await this.isReady()) && (await this.#ask("/v1/status/leader")) === this.#serverAddress;
  }

  /** Whether the leader knows it as healthy, which also says that there is one and that it lets us in. */
  async isReady() {
    const servers = await this.#ask("/v1/health/service/consul?passing&consistent");
    return servers.some(({ Node }) => Node.Node === this.name);
  }

  #ask(path) {
    return ask(this.address, path, {
      headers: this.token === undefined ? {} : { "x-consul-token": this.token },
    });
  }
}
