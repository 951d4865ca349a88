import type { FileAccess } from "../../../src/discovery/file/file-access.js";
import { FileResolver } from "../../../src/discovery/file/file-resolver.js";
import { discoveryOptionsSchema } from "../../../src/discovery/index.js";
import type { FileTarget } from "../../../src/discovery/target-kinds.js";
import { ManualClock } from "../../support/manual-clock.js";
import { RecordingListener } from "../recording-listener.js";

export const PATH = "/etc/users.yaml";
/** Time between two looks. */
export const POLL_MS = 500;

export function fileTarget(path = PATH): FileTarget {
  return { ok: true, scheme: "file", path, canonical: `file://${path}` };
}

/** A started resolver after its first look had a chance to be answered. */
export async function startedFileResolver(
  access: FileAccess,
  {
    path = PATH,
    env = {},
    options = {},
  }: { path?: string; env?: Record<string, string>; options?: object } = {},
) {
  const clock = new ManualClock();
  const listener = new RecordingListener();
  const resolver = new FileResolver(
    fileTarget(path),
    { clock, env },
    discoveryOptionsSchema.parse({ filePollMs: POLL_MS, ...options }),
    access,
  );
  resolver.start(listener);
  await clock.advance(0);
  /** So many looks later. */
  const looks = async (count: number): Promise<void> => {
    for (let look = 0; look < count; look++) await clock.advance(POLL_MS);
  };
  return { clock, listener, resolver, looks };
}
