import type { EventHub } from "../core/index.js";
import { KeepalivePace } from "../pool/index.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { warnOnce } from "./warn-once.js";

/** The interval of the pings to a target, whose changes are told by default (R68); null where none are sent. */
export function keepalivePace(
  { keepalive }: Pick<ResolvedChannelOptions, "keepalive">,
  events: EventHub,
  target: string,
): KeepalivePace | null {
  if (keepalive === null) return null;
  return new KeepalivePace(keepalive.timeMs, (fromMs, toMs) => {
    events.emit({ type: "keepalive.raised", fromMs, toMs });
    const what = `connections end after a few pings, so they go out every ${toMs} ms instead of ${fromMs}`;
    warnOnce("HOLDFAST_KEEPALIVE", `${target}: ${what}; raise keepalive.timeMs`, target);
  });
}
