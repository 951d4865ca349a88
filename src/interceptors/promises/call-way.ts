import type { ChannelInterface, Client } from "@grpc/grpc-js";
import type { CallPlan } from "./call-plan.js";
import { ChannelCall } from "./channel-call.js";
import type { CallListener, OpenCall } from "./open-call.js";
import { withoutParentCancel } from "./plain-guard.js";
import type { SettingsReader } from "./settings-reader.js";
import { StubCall } from "./stub-call.js";
import type { MethodDefinition, MethodKind } from "./stub-methods.js";

/** How the calls of one method reach the channel. */
export interface CallWay {
  readonly readSettings: SettingsReader;
  /** True over a channel of grpc-js's own, which does not see to all that ends a call. */
  readonly isPlain: boolean;
  /** @param request the only one, of a method that does not stream them */
  open(plan: CallPlan, listener: CallListener, request: unknown): OpenCall;
}

/** Straight to the channel. */
export class ChannelWay implements CallWay {
  readonly isPlain = false;

  constructor(
    private readonly channel: Pick<ChannelInterface, "createCall">,
    private readonly definition: MethodDefinition,
    readonly readSettings: SettingsReader,
  ) {}

  open(plan: CallPlan, listener: CallListener, request: unknown): OpenCall {
    const call = new ChannelCall(this.channel, this.definition, plan, listener);
    if (!this.definition.requestStream) {
      call.send(request);
      call.halfClose();
    }
    return call;
  }
}

/** Through the stub's own method. */
export class StubWay implements CallWay {
  constructor(
    private readonly stub: Client,
    private readonly kind: MethodKind,
    readonly readSettings: SettingsReader,
    readonly isPlain: boolean,
  ) {}

  open(plan: CallPlan, listener: CallListener, request: unknown): OpenCall {
    const { metadata } = plan;
    const options = this.isPlain ? withoutParentCancel(plan.options) : plan.options;
    return new StubCall(this.stub, this.kind, { metadata, options }, listener, request);
  }
}
