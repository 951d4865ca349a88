import { createRaftPeer, type LinkedPeerOptions, type RaftPeer } from "../../src/raft-peer/index.js";
import { ReopenablePort } from "../support/reopenable-port.js";
import { Stage } from "../support/stage.js";
import { describePeerContract, type PeerSetup, type PeerStage } from "./peer-contract.js";
import { RaftServer } from "./raft-server.js";

const stage = new Stage();

const grpcStage: PeerStage = {
  slackMs: 400,
  settle: (result) => result,

  async peer<Command = Uint8Array>(setup: PeerSetup<Command> = {}): Promise<RaftPeer<Command>> {
    const { handler = {}, options = {}, commandCodec } = setup;
    const codec = commandCodec === undefined ? {} : { commandCodec };
    const { address } = stage.use(await RaftServer.start<Command>(handler, codec));
    return stage.use(createRaftPeer<Command>(address, { insecure: true, ...options }, codec));
  },

  async lonelyPeer(options: LinkedPeerOptions = {}): Promise<RaftPeer> {
    const shut = stage.use(await ReopenablePort.listen(() => {}));
    shut.shut();
    return stage.use(createRaftPeer(`127.0.0.1:${shut.port}`, { insecure: true, ...options }));
  },
};

describePeerContract("over gRPC", grpcStage);
