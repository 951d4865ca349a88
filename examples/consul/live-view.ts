import type { EndpointStats } from "holdfast";
import type { LiveSource } from "../shared/live-view.js";
import { atText, formatEntry } from "../shared/timeline.js";
import type { Progress } from "./run.js";

/** What is shown of the running example. */
export function greeterView(progress: Progress): LiveSource {
  const { timeline, seconds, greeters, follower, load } = progress;
  const answersBefore = new Map<string, number>();
  const counts = () => `${load.calls} calls, ${load.failed} failed`;
  return {
    screen: () => [
      `${atText(timeline.nowMs)} of ${seconds} s   ${counts()}`,
      sourceLine(progress),
      ...greeters.all.map(({ id, fate }) => {
        const endpoint = follower.channel.endpoints().find((each) => nameOf(each) === id);
        return `${id}  ${fate.padEnd(7)}  ${String(load.answersOf(id)).padStart(6)} calls  ${endpointText(endpoint)}`;
      }),
      ...timeline.entries.map(formatEntry),
    ],
    lines: () => {
      const perServer = greeters.all.map(({ id }) => {
        const answers = load.answersOf(id);
        const inThisSecond = answers - (answersBefore.get(id) ?? 0);
        answersBefore.set(id, answers);
        return `${id} ${inThisSecond}/s`;
      });
      return [`${atText(timeline.nowMs)}  ${counts()} | ${perServer.join(", ")}`];
    },
  };
}

function sourceLine({ follower }: Progress): string {
  const source = follower.channel.stats().discovery[0];
  if (source === undefined) return "Consul     not asked yet";
  const since = source.staleSince === null ? "answers" : `does not answer since ${source.staleSince}`;
  const held = source.held === null ? "" : `, ${source.held.endpoints} endpoints held`;
  return `Consul     ${since}${held}`;
}

/** What a server goes by in Consul, as the resolver passes it on. */
function nameOf({ metadata }: EndpointStats): string | undefined {
  return metadata?.["consul.id"];
}

function endpointText(endpoint: EndpointStats | undefined): string {
  return endpoint === undefined ? "no endpoint" : `${endpoint.state}, weight ${endpoint.weight}`;
}
