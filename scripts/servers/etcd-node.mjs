/** One node of the cluster in `../etcd-cluster.mjs`, and the questions one asks it. */
import { ask, ServerNode } from "./server-node.mjs";

/** One etcd server. All questions go through etcd's own JSON gateway on the client port, so no stub is needed. */
export class EtcdNode extends ServerNode {
  /** Maintenance.Status. The gateway writes 64-bit numbers as text: member ids pass 2^53 and must stay exact. */
  status() {
    return ask(this.address, "/v3/maintenance/status", { method: "POST", body: "{}" });
  }

  async isLeader() {
    const { leader, header } = await this.status();
    return leader !== undefined && leader !== "0" && leader === header.member_id;
  }

  /** Whether it answers a linearizable read, which it can only with a leader. */
  async isReady() {
    const { health } = await ask(this.address, "/health");
    return health === "true";
  }
}
