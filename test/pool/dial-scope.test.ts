import { channel, hasSubscribers } from "node:diagnostics_channel";
import { CallCredentials, credentials } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { DialCredentials, isPlaintext } from "../../src/pool/dial-credentials.js";
import { DialSockets, enterDialScope } from "../../src/pool/dial-scope.js";
import { FakeSocket } from "../support/fake-socket.js";
import { settle } from "../support/manual-clock.js";
import { SubchannelBench } from "./subchannel-bench.js";

const TARGET = { scheme: "ipv4", path: "10.0.0.1:1" };

/** What Node does for each client socket. */
function announce(socket: FakeSocket): void {
  channel("net.client.socket").publish({ socket: socket.asSocket });
}

function connectorOf(sockets: DialSockets) {
  const dial = new DialCredentials(credentials.createInsecure(), sockets);
  return dial._createSecureConnector(TARGET as Parameters<typeof dial._createSecureConnector>[0], {});
}

describe("the scope of a dial", () => {
  it("takes charge of the socket opened on its behalf, promises later, and not of others", async () => {
    const sockets = new DialSockets(() => {});
    const own = new FakeSocket();
    const stranger = new FakeSocket();
    const leave = enterDialScope(sockets, () => {
      sockets.expect();
      void settle().then(() => announce(own));
    });

    announce(stranger);
    await settle();
    await settle();
    sockets.destroy();
    leave();

    expect(own.destroyed).toBe(true);
    expect(stranger.destroyed).toBe(false);
  });

  it("takes one socket per dial, so that a listener's own socket is left alone", () => {
    const sockets = new DialSockets(() => {});
    const [own, ofListener] = [new FakeSocket(), new FakeSocket()];

    const leave = enterDialScope(sockets, () => {
      sockets.expect();
      announce(own);
      announce(ofListener);
    });
    sockets.destroy();
    leave();

    expect(own.destroyed).toBe(true);
    expect(ofListener.destroyed).toBe(false);
  });

  it("hooks nothing into the process while no dial is under way", () => {
    const first = enterDialScope(new DialSockets(() => {}), () => {});
    const second = enterDialScope(new DialSockets(() => {}), () => {});
    first();
    first();
    expect(hasSubscribers("net.client.socket")).toBe(true);

    second();

    expect(hasSubscribers("net.client.socket")).toBe(false);
  });
});

describe("a dial", () => {
  it.each(["ready", "refuse"] as const)(
    "hooks nothing into the process once it is over: %s",
    async (plan) => {
      const hanging = await new SubchannelBench().dialled("hang");
      expect(hasSubscribers("net.client.socket")).toBe(true);
      hanging.subchannel.destroy();

      await new SubchannelBench().dialled(plan);

      expect(hasSubscribers("net.client.socket")).toBe(false);
    },
  );
});

describe("the sockets of a dial", () => {
  it("keep no process alive and are all destroyed with it, also one that comes too late", async () => {
    const sockets = new DialSockets(() => {});
    const [early, late] = [new FakeSocket(), new FakeSocket()];
    sockets.settleOn(early.asSocket);

    sockets.destroy();
    sockets.settleOn(late.asSocket);
    await settle();

    expect([early, late].map(({ destroyed, isRef }) => [destroyed, isRef])).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  it("tell of the end of the connection, with the first error and not those that follow from it", async () => {
    const onClosed = vi.fn();
    const sockets = new DialSockets(onClosed);
    const socket = new FakeSocket();
    sockets.settleOn(socket.asSocket);

    socket.destroy(new Error("read ECONNRESET"));
    await settle();
    sockets.fail(new Error("later"));

    expect(onClosed).toHaveBeenCalledTimes(1);
    expect(sockets.isClosed).toBe(true);
    expect(sockets.failure).toBe("read ECONNRESET");
  });

  it("tell the error in one line, also one of OpenSSL, which ends with a break", () => {
    const sockets = new DialSockets(() => {});

    sockets.fail(new Error("00:error:wrong version number:ssl3_record.c:350:\n\nand  more\n"));

    expect([sockets.failure, sockets.error]).toEqual(
      Array(2).fill("00:error:wrong version number:ssl3_record.c:350: and more"),
    );
  });

  it("that lost the race to connect do not end the connection", async () => {
    const onClosed = vi.fn();
    const sockets = new DialSockets(onClosed);
    const [loser, winner] = [new FakeSocket(), new FakeSocket()];
    sockets.settleOn(loser.asSocket);
    sockets.settleOn(winner.asSocket);

    loser.destroy();
    await settle();

    expect(onClosed).not.toHaveBeenCalled();
    expect(sockets.isClosed).toBe(false);
  });

  it("count what the peer has sent on the socket that became the connection", () => {
    const sockets = new DialSockets(() => {});
    expect(sockets.bytesRead).toBe(0);
    const socket = new FakeSocket();
    sockets.settleOn(socket.asSocket);

    socket.bytesRead = 42;

    expect(sockets.bytesRead).toBe(42);
  });

  it("say how far a dial without an error came", () => {
    const sockets = new DialSockets(() => {});
    expect(sockets.failure).toBe("the dial failed");

    sockets.settleOn(new FakeSocket().asSocket);

    expect(sockets.failure).toBe("the connection closed before SETTINGS arrived");
  });

  it("say that the server may want TLS, where a plaintext connection ends before SETTINGS", () => {
    const sockets = new DialSockets(() => {});
    const socket = new FakeSocket().asSocket;
    sockets.settleOn(socket);

    sockets.carriedBy(socket);

    expect(sockets.failure).toMatch(
      /^the plaintext connection closed before SETTINGS arrived: the server may want TLS/,
    );
  });
});

describe("the credentials of a dial", () => {
  it("admit one dial, so that no inner channel redials behind the pool's back", async () => {
    const connector = connectorOf(new DialSockets(() => {}));
    await connector.waitForReady();

    await expect(connector.waitForReady()).rejects.toThrow("not dialled again");
  });

  it("admit none once the dial was given up", async () => {
    const sockets = new DialSockets(() => {});
    const connector = connectorOf(sockets);

    sockets.destroy();

    await expect(connector.waitForReady()).rejects.toThrow();
  });

  it("hand over the socket that TCP stood on", async () => {
    const sockets = new DialSockets(() => {});
    const socket = new FakeSocket();

    await connectorOf(sockets).connect(socket.asSocket);

    expect(sockets.isConnected).toBe(true);
  });

  it("say what went wrong when TLS fails, which the socket itself does not know", async () => {
    const sockets = new DialSockets(() => {});
    const refusing = {
      waitForReady: async () => {},
      connect: () => Promise.reject(new Error("certificate has expired")),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    };
    const user = Object.assign(credentials.createInsecure(), { _createSecureConnector: () => refusing });
    const dial = new DialCredentials(user, sockets);
    const connector = dial._createSecureConnector(
      TARGET as Parameters<typeof dial._createSecureConnector>[0],
      {},
    );

    await expect(connector.connect(new FakeSocket().asSocket)).rejects.toThrow("certificate has expired");

    expect(sockets.failure).toBe("certificate has expired");
  });

  it("keep the nature of the user's credentials, and equal nobody else's", () => {
    const plain = new DialCredentials(credentials.createInsecure(), new DialSockets(() => {}));
    const secure = new DialCredentials(credentials.createSsl(), new DialSockets(() => {}));

    expect([isPlaintext(plain), isPlaintext(secure)]).toEqual([true, false]);
    expect(plain._equals(plain)).toBe(true);
    expect(plain._equals(secure)).toBe(false);
  });
});
