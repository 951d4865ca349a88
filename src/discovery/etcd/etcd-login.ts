import { readFile } from "node:fs/promises";
import type { RpcChannel } from "../../core/index.js";
import { AuthService } from "../../gen/etcdserverpb/rpc.js";
import { failed, isAuthenticationOff } from "./etcd-errors.js";
import type { ResolvedEtcdOptions } from "./etcd-options.js";

/** The token of etcd's own authentication: fetched when it is first needed, and again after etcd has refused it. */
export class EtcdLogin {
  /** Null where there is none, or none yet. */
  #token: string | null = null;

  constructor(
    private readonly options: Pick<ResolvedEtcdOptions, "username" | "password" | "passwordFile">,
  ) {}

  /** False where calls carry no token anyway. */
  get isUsed(): boolean {
    return this.options.username !== undefined;
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  /** The next call fetches another. */
  forget(): void {
    this.#token = null;
  }

  /**
   * Null where no user is set, or where etcd has authentication turned off: then it is off for everybody.
   * @throws Error that says what failed; never with the password
   */
  async token(channel: RpcChannel, timeoutMs: number): Promise<string | null> {
    const { username } = this.options;
    if (username === undefined || this.#token !== null) return this.#token;
    const request = { name: username, password: await this.#password() };
    try {
      const { token } = await channel.unary(AuthService.authenticate, request, { timeoutMs });
      this.#token = token;
    } catch (error) {
      if (isAuthenticationOff(error)) return null;
      throw failed(`logging in to etcd as ${username}`, error);
    }
    return this.#token;
  }

  async #password(): Promise<string> {
    const { password = "", passwordFile } = this.options;
    if (passwordFile === undefined) return password;
    try {
      return (await readFile(passwordFile, "utf8")).replace(/\r?\n$/, "");
    } catch (error) {
      throw failed(`reading the password file of etcd (discovery.etcd.passwordFile)`, error);
    }
  }
}
