/** What every call is given: the token, and the means to cancel it and to see its headers. To be spread into its options. */
export type ConsulCommon = Readonly<Record<string, unknown>>;

type Call = (options: object) => Promise<unknown>;

/**
 * The calls of the package `consul` that are used. Its own types refuse options that it takes: `index`, `wait`, `stale`,
 * `consistent`, `ctx`, several tags.
 */
export interface ConsulClient {
  readonly health: { readonly service: Call };
  readonly agent: {
    readonly service: { readonly register: Call; readonly deregister: Call };
    readonly check: {
      readonly list: Call;
      readonly pass: Call;
      readonly warn: Call;
      readonly fail: Call;
      readonly deregister: Call;
    };
  };
}

/** What its constructor takes, of its own options and of those of `papi`, on which it is built. */
export interface ConsulClientOptions {
  readonly baseUrl: string;
  readonly agent: object;
  readonly headers: Readonly<Record<string, string>>;
  readonly encoders: Readonly<Record<string, (body: unknown) => Buffer>>;
  readonly decoders: Readonly<Record<string, (body: Buffer | string) => unknown>>;
}

export type ConsulConstructor = new (options: ConsulClientOptions) => ConsulClient;
