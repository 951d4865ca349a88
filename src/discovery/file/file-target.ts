import { fileURLToPath, pathToFileURL } from "node:url";
import { type FileTarget, type InvalidTarget, refuse, type SplitTarget } from "../target-kinds.js";

/**
 * Reads `file:///path.yaml`, a file URI as RFC 8089 has it: also `file:/path.yaml` and `file://localhost/path.yaml`, with
 * what may not stand in a URI as `%20`; on Windows `file:///C:/path.yaml`. Whether the file is there shows later.
 */
export function parseFileTarget(
  { authority, path }: SplitTarget,
  target: string,
): FileTarget | InvalidTarget {
  const quoted = JSON.stringify(target);
  // file:/path has its slash in the path, file:///path has it in the cut.
  const absolute = (authority === null ? path : `/${path}`).replace(/\/+/g, "/");
  if (authority !== null && authority !== "" && authority !== "localhost") {
    const meant = `file:///${authority}${path === "" ? "" : `/${path}`}`;
    return refuse(
      `the target ${quoted} names the host ${JSON.stringify(authority)}, and only files of this machine are read; write three slashes, ${meant}`,
    );
  }
  if (absolute === "" || absolute === "/") {
    return refuse(`the target ${quoted} names no file; write file:///path/endpoints.yaml`);
  }
  if (!absolute.startsWith("/")) {
    return refuse(
      `the target ${quoted} has a relative path; write the whole one, file:///path/endpoints.yaml`,
    );
  }
  if (absolute.endsWith("/")) return refuse(`the target ${quoted} names a folder; write the path of a file`);
  const misplaced = misplacedIn(absolute);
  if (misplaced !== null) return refuse(`the target ${quoted} has ${misplaced}`);
  try {
    const filePath = fileURLToPath(`file://${absolute}`);
    if (filePath.includes("\0")) return refuse(`the target ${quoted} has %00, which no path has`);
    return { ok: true, scheme: "file", path: filePath, canonical: pathToFileURL(filePath).href };
  } catch {
    return refuse(
      `the target ${quoted} is no file of this machine; allowed: an absolute path, with % only before two hexadecimal digits, and no encoded slash`,
    );
  }
}

/** What a URI would read as something else than a part of the path. */
function misplacedIn(path: string): string | null {
  const [found] = /[?#\\]|\p{Cc}/u.exec(path) ?? [];
  if (found === undefined) return null;
  const written = `%${found.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
  return `${JSON.stringify(found)}; write ${written} where it is part of the path`;
}
