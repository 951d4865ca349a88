import type { Socket } from "node:net";
import { type CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import type { DialSockets } from "./dial-scope.js";
import { guardCallCredentials } from "./guarded-credentials.js";

type CreateSecureConnector = ChannelCredentials["_createSecureConnector"];
type SecureConnector = ReturnType<CreateSecureConnector>;

/**
 * The one place that touches the underscore members of `ChannelCredentials`. Wraps the user's credentials for one
 * inner channel: notes the socket, and admits a single dial, because an inner channel that lost its connection
 * would otherwise redial on its next call, outside our deadline and backoff.
 */
export class DialCredentials extends ChannelCredentials {
  /** Those that the user combined the channel's with: asked for every attempt. Null before the dial. */
  callCredentials: CallCredentials | null = null;

  constructor(
    private readonly inner: ChannelCredentials,
    private readonly sockets: DialSockets,
  ) {
    super();
  }

  override _isSecure(): boolean {
    return this.inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...args: Parameters<CreateSecureConnector>): SecureConnector {
    const connector = this.inner._createSecureConnector(...args);
    this.callCredentials = guardCallCredentials(connector.getCallCredentials());
    return singleDial(connector, this.callCredentials, this.sockets);
  }
}

function singleDial(
  connector: SecureConnector,
  callCredentials: CallCredentials,
  sockets: DialSockets,
): SecureConnector {
  let hasDialled = false;
  return {
    async waitForReady(): Promise<void> {
      if (hasDialled || sockets.isDestroyed) throw new Error("this connection is not dialled again");
      hasDialled = true;
      await connector.waitForReady();
      if (sockets.isDestroyed) throw new Error("the dial was given up");
      sockets.expect();
    },
    async connect(socket: Socket): ReturnType<SecureConnector["connect"]> {
      sockets.settleOn(socket);
      try {
        const connected = await connector.connect(socket);
        sockets.carriedBy(connected.socket);
        // TLS 1.3 refuses a client's certificate only after the handshake; the socket beneath hears nothing of it.
        connected.socket.once("error", (error) => sockets.fail(error));
        return connected;
      } catch (error) {
        sockets.fail(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    },
    getCallCredentials: () => callCredentials,
    destroy: () => connector.destroy(),
  };
}

/**
 * Credentials that are, for each new connection, those that `current` gives: what was rotated is used without anybody
 * being told.
 *
 * @param current must always give secure ones
 */
export function followingCredentials(current: () => ChannelCredentials): ChannelCredentials {
  return new FollowingCredentials(current);
}

class FollowingCredentials extends ChannelCredentials {
  constructor(private readonly current: () => ChannelCredentials) {
    super();
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...args: Parameters<CreateSecureConnector>): SecureConnector {
    return this.current()._createSecureConnector(...args);
  }
}

/** True for credentials that leave a connection in plaintext. */
export function isPlaintext(credentials: ChannelCredentials): boolean {
  return !credentials._isSecure();
}
