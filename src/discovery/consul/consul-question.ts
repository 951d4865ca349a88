import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { problemList } from "../problem-list.js";
import type { ResolverDeps } from "../resolver.js";
import type { ConsulTarget } from "../target-kinds.js";
import { type Ask, AskedToWait } from "./blocking-query.js";
import { type ConsulAnswer, readConsulAnswer } from "./consul-answer.js";
import { ConsulHttp, type ConsulReply } from "./consul-http.js";
import { retryAfterMs } from "./retry-after.js";

/** Consul adds up to this share to the time it is told to wait, so that waiting clients do not come back together. */
const WAIT_SPREAD = 16;

/** What Consul's health endpoint says of a service. */
export function askConsul(
  target: ConsulTarget,
  deps: Pick<ResolverDeps, "clock" | "env">,
  options: ResolvedDiscoveryOptions,
): Ask<ConsulAnswer> {
  const { consul, lookupTimeoutMs } = options;
  const http = new ConsulHttp(target, consul, deps);
  const longTimeoutMs = consul.waitMs + consul.waitMs / WAIT_SPREAD + lookupTimeoutMs;
  return async (index, signal) => {
    const wait = index === null ? {} : { index: `${index}`, wait: `${Math.round(consul.waitMs)}ms` };
    const reply = await http.request(
      (client, common) => client.health.service({ ...common, ...questionOf(target), ...wait }),
      // Calls that have no endpoint yet wait for the first answer; nobody waits for a change.
      { signal, isAwaited: index === null, timeoutMs: index === null ? lookupTimeoutMs : longTimeoutMs },
    );
    const value = answerOf(reply, target, index !== null, deps.clock.epoch());
    // The streaming backend does not say when it has left out what the token may not read; a question without index does.
    const isDoubtful = index !== null && value.endpoints.length === 0;
    return { value, index: isDoubtful ? null : indexOf(reply.headers["x-consul-index"]) };
  };
}

function questionOf(target: ConsulTarget): object {
  const { tags, datacenter, near, filter, consistency } = target;
  return {
    service: target.service,
    ...(target.isPassingOnly && { passing: true }),
    ...(tags.length > 0 && { tag: tags }),
    ...(datacenter !== null && { dc: datacenter }),
    ...(near !== null && { near }),
    ...(filter !== null && { filter }),
    ...(consistency !== "default" && { [consistency]: true }),
  };
}

/** @throws Error when the answer says nothing that may be believed */
function answerOf(
  reply: ConsulReply,
  target: ConsulTarget,
  isBlocking: boolean,
  epochMs: number,
): ConsulAnswer {
  const { place, status, headers } = reply;
  if (status !== 200) {
    const wantedMs = status === 429 || status === 503 ? retryAfterMs(headers["retry-after"], epochMs) : 0;
    throw new AskedToWait(refusal(reply), wantedMs);
  }
  if (isLeaderless(reply, isBlocking) && target.consistency !== "stale") {
    throw new Error(`Consul at ${place} knows no leader, so its answer may be old`);
  }
  const answer = readConsulAnswer(reply.body, target);
  if (answer.endpoints.length > 0) return answer;
  if (headers["x-consul-results-filtered-by-acls"] === "true") {
    throw new Error(
      `Consul at ${place} left out what the token may not read; it needs service:read of "${target.service}" and node:read`,
    );
  }
  if (answer.problems.length > 0) {
    throw new Error(`Consul at ${place} answered without a usable endpoint: ${problemList(answer.problems)}`);
  }
  return answer;
}

/**
 * The streaming backend, which answers blocking queries, says of every answer that it knows no leader (seen with Consul
 * 1.22): there it means nothing.
 */
function isLeaderless({ headers }: ConsulReply, isBlocking: boolean): boolean {
  const backend = headers["x-consul-query-backend"];
  if (backend === "streaming" || (backend === undefined && isBlocking)) return false;
  return headers["x-consul-knownleader"] === "false";
}

function refusal({ place, status, said }: ConsulReply): string {
  const what = `Consul at ${place} answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 403) return `${what}; a token is needed that may read the service and its nodes`;
  if (status === 404) return `${what}; its API is not there`;
  return what;
}

function indexOf(header: string | string[] | undefined): bigint | null {
  return typeof header === "string" && /^\d{1,20}$/.test(header) ? BigInt(header) : null;
}
