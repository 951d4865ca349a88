import { type Endpoint, parseAddress, saidBy, type Timer } from "../../core/index.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { proxyFor } from "../http-proxy.js";
import { ListenerGate } from "../listener-gate.js";
import { problemList } from "../problem-list.js";
import type { Resolver, ResolverDeps, ResolverListener } from "../resolver.js";
import type { FileTarget } from "../target-kinds.js";
import { type FileAccess, systemFiles } from "./file-access.js";
import { endpointsIn } from "./file-content.js";

/** A hundred thousand endpoints fit. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/**
 * Looks that a file may be different each time before it is read all the same: something writes to it, or replaces it,
 * without a pause.
 */
const MAX_RESTLESS_LOOKS = 10;

/** What a look at the file brought; `said` is what is wrong. */
type Finding =
  | { readonly kind: "unchanged" }
  | { readonly kind: "read"; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: "failed"; readonly said: string };

/** The resolver of a `file:` target. */
export function fileResolver(
  target: FileTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  return new FileResolver(target, deps, options);
}

/**
 * Follows a list of endpoints in a file by looking at it every `filePollMs`. The system's own word on changes is not
 * asked for: it is silent on network file systems, says nothing of a link further up the path, which is how a ConfigMap
 * changes, and follows the old file when another is renamed into its place. A file that has changed is read when two looks in
 * a row saw the same, so that one half written is not. One that never stands still is read too if it is replaced, and not
 * written to while it is read. One that is missing or wrong is told of once, and looked at as before.
 */
export class FileResolver implements Resolver {
  readonly target: string;
  readonly #gate: ListenerGate;
  #timer: Timer | null = null;
  #isFirstLook = true;
  /** The file as the last look saw it, and as it was when it was read; null where that is forgotten. */
  #seen: string | null = null;
  #read: string | null = null;
  #restlessLooks = 0;
  /** What was said to be wrong, until all is well. */
  #said: string | null = null;
  #isGood = false;

  constructor(
    private readonly file: FileTarget,
    private readonly deps: Pick<ResolverDeps, "clock" | "env">,
    private readonly options: Pick<ResolvedDiscoveryOptions, "filePollMs" | "lookupTimeoutMs">,
    private readonly access: FileAccess = systemFiles,
  ) {
    this.target = file.canonical;
    this.#gate = new ListenerGate(file.canonical);
  }

  get isWatching(): boolean {
    return this.#gate.isOpen && this.#isGood;
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    this.#look();
  }

  /** The next look is never far. */
  refresh(): void {}

  close(): void {
    this.#gate.close();
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** One at a time: a file server that hangs would otherwise take every thread that Node has for files. */
  #look(): void {
    const { clock } = this.deps;
    const { lookupTimeoutMs, filePollMs } = this.options;
    const silence = `gave no answer within ${lookupTimeoutMs} ms`;
    this.#timer = clock.setTimer(() => {
      // An answer has to be read again then, to take the word back.
      this.#read = null;
      this.#fail(silence);
    }, lookupTimeoutMs);
    void this.#find().then((finding) => {
      if (!this.#gate.isOpen) return;
      this.#timer?.cancel();
      this.#timer = clock.setTimer(() => this.#look(), filePollMs);
      if (finding.kind === "failed") this.#fail(finding.said);
      else if (finding.kind === "read") this.#succeed(finding.endpoints);
    });
  }

  async #find(): Promise<Finding> {
    try {
      return await this.#findChange();
    } catch (error) {
      // Whatever comes next is new.
      this.#seen = null;
      this.#read = null;
      return { kind: "failed", said: `cannot be read: ${reasonOf(error)}` };
    }
  }

  async #findChange(): Promise<Finding> {
    const { path } = this.file;
    const isFirstLook = this.#isFirstLook;
    this.#isFirstLook = false;
    const { stamp, sizeBytes } = await this.access.look(path);
    const isSettled = stamp === this.#seen || isFirstLook;
    this.#seen = stamp;
    if (stamp === this.#read) return { kind: "unchanged" };
    if (!isSettled) this.#restlessLooks++;
    if (!isSettled && !this.#isRestless) return { kind: "unchanged" };
    if (sizeBytes > MAX_FILE_BYTES) return this.#refuse(stamp, [tooBig(sizeBytes)]);
    const { bytes, isSteady } = await this.access.read(path);
    // A list that is cut off in YAML is a list still.
    this.#seen = (await this.access.look(path)).stamp;
    if (this.#seen !== stamp && !(isSteady && this.#isRestless)) return this.#readInVain();
    if (bytes.byteLength > MAX_FILE_BYTES) return this.#refuse(stamp, [tooBig(bytes.byteLength)]);
    const { endpoints, problems } = endpointsIn(path, bytes);
    if (problems.length > 0) return this.#refuse(stamp, problems);
    this.#noteRead(stamp);
    return { kind: "read", endpoints: endpoints.map((endpoint) => this.#withProxy(endpoint)) };
  }

  get #isRestless(): boolean {
    return this.#restlessLooks >= MAX_RESTLESS_LOOKS;
  }

  /** The file has changed under the read. */
  #readInVain(): Finding {
    if (!this.#isRestless) {
      this.#restlessLooks++;
      return { kind: "unchanged" };
    }
    // What was read before has to be read again then, to take the word back.
    this.#read = null;
    const said = `cannot be read: it never stands still: ${MAX_RESTLESS_LOOKS} looks and reads found it changed, and it is written to while it is read`;
    return { kind: "failed", said };
  }

  /** Read once, though it is of no use: it is looked into again when it has changed. */
  #refuse(stamp: string, problems: readonly string[]): Finding {
    this.#noteRead(stamp);
    return { kind: "failed", said: `is wrong: ${problemList(problems)}` };
  }

  #noteRead(stamp: string): void {
    this.#read = stamp;
    this.#restlessLooks = 0;
  }

  #succeed(endpoints: readonly Endpoint[]): void {
    this.#isGood = true;
    this.#said = null;
    this.#gate.endpoints(endpoints);
  }

  #fail(said: string): void {
    this.#isGood = false;
    if (said === this.#said) return;
    this.#said = said;
    this.#gate.error(new Error(`the file ${this.file.path} ${said}`));
  }

  /** As for the addresses of a `static:` target, unless the file says. */
  #withProxy(endpoint: Endpoint): Endpoint {
    if (endpoint.isProxied !== undefined) return endpoint;
    const address = parseAddress(endpoint.address);
    const isProxied =
      typeof address !== "string" && address.kind === "tcp" && proxyFor(address.host, this.deps.env) !== null;
    return isProxied ? { ...endpoint, isProxied } : endpoint;
  }
}

function tooBig(bytes: number): string {
  return `it has ${bytes} bytes; allowed: ${MAX_FILE_BYTES} or less`;
}

/** Node's words name the system call and the path again. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOENT") return "it is not there";
  return saidBy(error);
}
