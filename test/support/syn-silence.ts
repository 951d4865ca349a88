import { spawnSync } from "node:child_process";
import { until } from "./event-loop.js";
import { isOnPath } from "./on-path.js";

/** Whether this machine lets a test drop SYNs, and if not, why. */
export type SynDropping = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Should this process be killed before it can clean up, the kernel forgets the rule after this long. */
const EXPIRES_AFTER = "2m";

/**
 * A host that is gone, or a firewall that drops: nothing answers a SYN to `127.0.0.1:<port>`, so a connect neither
 * succeeds nor fails until the kernel gives up after two minutes. Connections that stand already live on. Needs root
 * and `nft`; ask `canDropSyn()` first.
 */
export class SynSilence {
  readonly #table: string;
  readonly #removeOnExit = (): void => void nft(`delete table inet ${this.#table}`);
  #isClosed = false;

  private constructor(port: number) {
    this.#table = `holdfast_test_${process.pid}_${port}`;
    const refusal = nft(`table inet ${this.#table} {
      set ports {
        type inet_service; flags timeout; counter;
        elements = { ${port} timeout ${EXPIRES_AFTER} }
      }
      chain input {
        type filter hook input priority -10;
        ip daddr 127.0.0.1 tcp flags & (fin|syn|rst|ack) == syn tcp dport @ports drop;
      }
    }`);
    if (refusal !== "") throw new Error(`cannot drop SYNs to port ${port}: ${refusal}`);
    process.once("exit", this.#removeOnExit);
  }

  /** @throws Error when nft refuses, with its reason. */
  static start(port: number): SynSilence {
    return new SynSilence(port);
  }

  /** SYNs dropped so far, the kernel's own repeats included. */
  get dropCount(): number {
    const listing = spawnSync("nft", ["list", "set", "inet", this.#table, "ports"], { encoding: "utf8" });
    return Number(/counter packets (\d+)/.exec(listing.stdout)?.[1] ?? 0);
  }

  /** Resolves once `count` SYNs (default 1) have been dropped; rejects after five seconds. */
  dropped(count = 1): Promise<void> {
    return until(() => this.dropCount >= count, `dropping ${count} SYNs`);
  }

  /** The network heals; the kernel repeats a SYN that was lost after 1 s, 3 s, 7 s and so on. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    process.off("exit", this.#removeOnExit);
    this.#removeOnExit();
  }
}

let answer: SynDropping | undefined;

/** Tries it out once per process, with a rule that matches nothing. */
export function canDropSyn(): SynDropping {
  answer ??= tryOut();
  return answer;
}

function tryOut(): SynDropping {
  if (process.platform !== "linux")
    return { ok: false, reason: `nft is for Linux, this is ${process.platform}` };
  if (process.getuid?.() !== 0) return { ok: false, reason: "dropping SYNs needs root" };
  if (!isOnPath("nft")) return { ok: false, reason: "nft is not installed" };
  try {
    SynSilence.start(0).close();
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: String(error) };
  }
}

/** Runs a script and returns its complaint, empty when it was content. */
function nft(script: string): string {
  const { status, stderr, error } = spawnSync("nft", ["-f", "-"], { input: script, encoding: "utf8" });
  return status === 0 ? "" : String(error ?? stderr).trim() || `nft ended with status ${status}`;
}
