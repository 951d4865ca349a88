import { createHash, type X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { ChannelCredentials } from "@grpc/grpc-js";
import type { ResolvedTlsOptions } from "../core/index.js";
import { type Clock, problemsError, type Timer } from "../core/index.js";
import { followingCredentials } from "./dial-credentials.js";
import { leafOf, pemProblems, validityProblem } from "./tls-check.js";
import { type PemFiles, systemFiles, type TlsPems, TlsSource } from "./tls-files.js";

/** How long what is new must stay as it is before it is taken, in ms: its writer may be in the middle of it. */
const SETTLE_MS = 1_000;

/** What TLS material works with beside its options. */
export interface TlsMaterialDeps {
  readonly clock: Clock;
  readonly files?: PemFiles;
  /** Of the process: grpc-js's `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` and `GRPC_SSL_CIPHER_SUITES` hold here, too. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told of the client's own certificate when its time is over, or has not come. */
  warn(code: string, message: string): void;
}

/** What is in use. */
interface Loaded {
  readonly digest: string;
  readonly credentials: ChannelCredentials;
  /** This client's own certificate. */
  readonly leaf: X509Certificate | null;
}

/**
 * Certificates and key of a channel: checked when they are read first, then looked at again and again while their files
 * are watched. What is new is taken once it is whole; until then, and where it is no good, the old ones stay.
 */
export class TlsMaterial {
  /** Always the same object; each new connection uses what is current then. */
  readonly credentials: ChannelCredentials;
  readonly #source: TlsSource;
  readonly #files: PemFiles;
  #current: Loaded;
  /** The last digest that was found and is not in use. */
  #candidate: string | null = null;
  /** The last problem that was told, so that it is told once. */
  #told: string | null = null;
  #timer: Timer | null = null;
  #isClosed = false;
  #onRotated: ((cause: string) => void) | null = null;
  #onRejected: ((problem: string) => void) | null = null;

  /** @throws ResilienceError `CONFIG_INVALID` that lists every problem of the files */
  constructor(
    private readonly options: ResolvedTlsOptions,
    private readonly deps: TlsMaterialDeps,
  ) {
    this.#files = deps.files ?? systemFiles;
    this.#source = new TlsSource(options, this.#files);
    const pems = this.#source.readNow();
    const loaded = this.#load(pems, digestOf(pems));
    if (!("credentials" in loaded)) throw problemsError("tls", loaded);
    this.#current = loaded;
    this.credentials = followingCredentials(() => this.#current.credentials);
    this.#warnOfValidity();
  }

  /**
   * Begins to watch the files, if there are any and `watchFiles` is true. Keeps no process alive.
   *
   * @param onRotated what is new is in use for new connections; connections made before still have the old
   * @param onRejected what is new is no good, and why; told once, and the old stays
   */
  start(onRotated: (cause: string) => void, onRejected: (problem: string) => void): void {
    const { watchFiles, reloadMs } = this.options;
    if (this.#isClosed || this.#timer !== null || !watchFiles || this.#source.fileKeys.length === 0) return;
    this.#onRotated = onRotated;
    this.#onRejected = onRejected;
    this.#lookIn(reloadMs);
  }

  /** Ends the watch. The credentials go on working. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #lookIn(delayMs: number): void {
    this.#timer = this.deps.clock.setTimer(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    const pems = await this.#source.read();
    if (this.#isClosed) return;
    this.#lookIn(this.#consider(pems));
    this.#warnOfValidity();
  }

  /** @returns when to look again, in ms */
  #consider(pems: TlsPems): number {
    const { reloadMs } = this.options;
    const digest = digestOf(pems);
    if (digest === this.#current.digest) {
      this.#candidate = null;
      this.#told = null;
      return reloadMs;
    }
    if (digest !== this.#candidate) {
      this.#candidate = digest;
      return Math.min(SETTLE_MS, reloadMs);
    }
    const loaded = this.#load(pems, digest);
    const problems = "credentials" in loaded ? this.#untimely(loaded) : loaded;
    if ("credentials" in loaded && problems.length === 0) this.#take(loaded);
    else this.#reject(problems);
    return reloadMs;
  }

  #take(loaded: Loaded): void {
    this.#current = loaded;
    this.#candidate = null;
    this.#told = null;
    this.#onRotated?.(`new content of ${this.#source.fileKeys.map((key) => `tls.${key}`).join(", ")}`);
  }

  #reject(problems: readonly string[]): void {
    const problem = problems.join("; ");
    if (problem === this.#told) return;
    this.#told = problem;
    this.#onRejected?.(`${problem}; what was read before stays in use`);
  }

  /** A certificate whose time is not now is no gain, unless the one in use is no better. */
  #untimely({ leaf }: Loaded): readonly string[] {
    const now = this.deps.clock.epoch();
    const problem = validityProblem(leaf, now);
    if (problem === null || validityProblem(this.#current.leaf, now) !== null) return [];
    return [`tls.certFile ${problem}`];
  }

  #warnOfValidity(): void {
    const problem = validityProblem(this.#current.leaf, this.deps.clock.epoch());
    if (problem === null) return;
    const where = this.#source.options.certFile ?? "tls.cert";
    this.deps.warn(
      "HOLDFAST_TLS_EXPIRED",
      `the client certificate ${where} ${problem}; servers that ask for it will refuse this client: renew it`,
    );
  }

  /** @returns every problem when it is no good */
  #load(pems: TlsPems, digest: string): Loaded | readonly string[] {
    const problems = pemProblems(pems, this.options).map(({ key, message }) => `tls.${key}: ${message}`);
    if (problems.length > 0) return problems;
    const { minVersion } = this.options;
    const { env = process.env } = this.deps;
    const roots = pems.ca ?? this.#defaultRoots(env["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]);
    if (typeof roots === "string") return [`GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: ${roots}`];
    try {
      const context = createSecureContext({
        minVersion,
        ...(roots === null ? {} : { ca: roots }),
        ...(Buffer.isBuffer(pems.cert) && Buffer.isBuffer(pems.key)
          ? { cert: pems.cert, key: pems.key }
          : {}),
        ...(env["GRPC_SSL_CIPHER_SUITES"] === undefined ? {} : { ciphers: env["GRPC_SSL_CIPHER_SUITES"] }),
      });
      return {
        digest,
        credentials: ChannelCredentials.createFromSecureContext(context),
        leaf: leafOf(pems.cert),
      };
    } catch (error) {
      return [`tls: refused by OpenSSL (${(error as NodeJS.ErrnoException).code ?? "no code"})`];
    }
  }

  #defaultRoots(path: string | undefined): Buffer | string | null {
    return path === undefined || path === "" ? null : this.#files.readNow(path);
  }
}

/** Of the content, not of the time of the last write, which copies and links keep or change as they like. */
function digestOf({ ca, cert, key }: TlsPems): string {
  const hash = createHash("sha256");
  for (const part of [ca, cert, key]) hash.update(`${part === null ? "-" : part.length} `).update(part ?? "");
  return hash.digest("base64");
}
