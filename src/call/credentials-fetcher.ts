import { Metadata } from "@grpc/grpc-js";
import { type Clock, withinMs } from "../core/index.js";
import { credentialsInvalid, isPlainObject, nameOf, toMetadata } from "../pool/index.js";

/** What credentials are asked for. */
export interface CredentialsContext {
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
  /** `https://host/package.Service`, without a port, as grpc-js has it: the audience of a token. */
  readonly serviceUrl: string;
  /** True when the last credentials were not accepted. */
  readonly isRefresh: boolean;
}

type Fetched = Metadata | Readonly<Record<string, string>>;
/** The metadata of one attempt. */
export type FetchCredentials = (context: CredentialsContext) => Fetched | Promise<Fetched>;

type Asked = Omit<CredentialsContext, "isRefresh">;

/** Asks a user's function for credentials: each attempt by itself, but only one at a time for credentials anew. */
export class CredentialsFetcher {
  #generation = 0;
  #isRefused = false;
  #refresh: { readonly asked: Asked; readonly metadata: Promise<Metadata> } | null = null;

  constructor(
    private readonly fetch: FetchCredentials,
    private readonly timeoutMs: number,
    private readonly clock: Clock,
  ) {}

  /** Counts refreshes that succeeded. */
  get generation(): number {
    return this.#generation;
  }

  refresh(generation = this.#generation): void {
    // Else what was refused has been replaced since; a refresh that is running will have done so.
    if (generation === this.#generation) this.#isRefused = true;
  }

  async generate(asked: Asked): Promise<Metadata> {
    if (this.#refresh === null) {
      if (!this.#isRefused) return this.#ask({ ...asked, isRefresh: false });
      this.#refresh = { asked, metadata: this.#refreshFor(asked) };
      return this.#refresh.metadata;
    }
    const running = this.#refresh;
    const metadata = await running.metadata;
    if (running.asked.method === asked.method && running.asked.serviceUrl === asked.serviceUrl)
      return metadata;
    // A token may be for one audience, or sign one method.
    return this.#ask({ ...asked, isRefresh: false });
  }

  async #refreshFor(asked: Asked): Promise<Metadata> {
    try {
      const metadata = await this.#ask({ ...asked, isRefresh: true });
      this.#generation++;
      this.#isRefused = false;
      return metadata;
    } finally {
      this.#refresh = null;
    }
  }

  async #ask(context: CredentialsContext): Promise<Metadata> {
    const { clock, timeoutMs } = this;
    return asMetadata(
      await withinMs<unknown>(clock, timeoutMs, "the fetch of credentials", () => this.fetch(context)),
    );
  }
}

function asMetadata(fetched: unknown): Metadata {
  const given = toMetadata(fetched);
  if (given !== null) return given;
  if (!isPlainObject(fetched)) {
    const name = nameOf(fetched);
    throw credentialsInvalid(
      `the fetch of credentials gave ${name}; allowed: Metadata, or an object of strings`,
    );
  }
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(fetched)) setEntry(metadata, key, value);
  return metadata;
}

/** grpc-js would repeat a value that it refuses, which is a secret here. */
function setEntry(metadata: Metadata, key: string, value: unknown): void {
  const problem = (what: string): Error => credentialsInvalid(`the fetch of credentials gave ${what}`);
  if (typeof value !== "string") {
    throw problem(`${nameOf(value)} for ${JSON.stringify(key)}; allowed: a string`);
  }
  try {
    metadata.set(key, value);
  } catch {
    throw problem(
      `${JSON.stringify(key)}, where the key, or its value, is none that metadata allows: keys have a-z 0-9 . _ -, text has printable ASCII`,
    );
  }
}
